import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { limitBodyTime } from './body-time.js';

const LIMIT_MS = 20;

describe('the time of a body', () => {
  let server: FastifyInstance;
  let refused: number;
  beforeEach(async () => {
    refused = 0;
    server = fastify();
    limitBodyTime(server, LIMIT_MS, (socket) => {
      refused += 1;
      socket.end('too late');
    });
    server.addContentTypeParser('application/x-ndjson', (_, body, done) => done(null, body));
    server.post('/whole', () => 'taken');
    server.post('/refused', { onRequest: (_, reply) => void reply.send('refused') }, () => 'taken');
    const late = () => new Promise((resolve) => setTimeout(() => resolve('late'), 5 * LIMIT_MS));
    server.get('/late', late);
    server.post('/late', late);
    server.post('/streamed', { config: { streams_ndjson: true } }, async ({ body }) => {
      for await (const _ of body as AsyncIterable<Buffer>);
      return 'taken';
    });
    await server.listen({ port: 0 });
  });
  afterEach(() => server.close());

  /** Sends a beginning, and the rest, if there is one, when the limit is long over. */
  const dribble = async (path: string, type: string, rest?: string, after = 'close'): Promise<string> => {
    const { port } = server.server.address() as { port: number };
    const socket: Socket = connect(port);
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: ${after}\r\ncontent-type: ${type}\r\ncontent-length: 4\r\n\r\n{}`,
    );
    if (rest !== undefined) setTimeout(() => socket.write(rest), 10 * LIMIT_MS);
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    await once(socket, 'close');
    return answer;
  };

  it('ends for one that is whole', async () => {
    expect(await dribble('/whole', 'application/json')).toBe('too late');
  });

  it('ends for one that nobody reads', async () => {
    const answer = await dribble('/refused', 'application/json', undefined, 'keep-alive');
    expect(answer).toMatch(/refusedtoo late$/);
  });

  it('has no end for one that is a stream', async () => {
    expect(await dribble('/streamed', 'application/x-ndjson', '{}')).toMatch(/taken$/);
    expect(refused).toBe(0);
  });

  it.each([{}, { method: 'POST' }, { method: 'POST', body: 'as text' }])(
    'is no time of the answer to %j',
    async (init) => {
      const { port } = server.server.address() as { port: number };
      const response = await fetch(`http://127.0.0.1:${port}/late`, init);
      expect(await response.text()).toBe('late');
      expect(refused).toBe(0);
    },
  );

  it('is not counted once the body is there', async () => {
    const { port } = server.server.address() as { port: number };
    const send = () =>
      fetch(`http://127.0.0.1:${port}/whole`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
    expect(await (await send()).text()).toBe('taken');
    await new Promise((resolve) => setTimeout(resolve, 5 * LIMIT_MS));
    expect(await (await send()).text()).toBe('taken');
    expect(refused).toBe(0);
  });
});
