import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import fastify, { type FastifyInstance } from 'fastify';
import { cutSilentConnections } from './silent-connections.js';

const GRACE_MS = 50;
const LONGEST_MS = 500;

describe('a server that stops', () => {
  let server: FastifyInstance;
  let answer: () => void;
  let asked: Promise<void>;
  beforeEach(async () => {
    server = fastify({ return503OnClosing: false });
    cutSilentConnections(server, GRACE_MS, LONGEST_MS);
    let isAsked: () => void;
    asked = new Promise((resolve) => (isAsked = resolve));
    server.get('/', (_, reply) => {
      answer = () => void reply.send('done');
      isAsked();
    });
    server.get('/export', (_, reply) => {
      isAsked();
      return reply.send(new Readable({ read: () => undefined }));
    });
    await server.listen({ port: 0 });
  });

  const open = async (text: string): Promise<Socket> => {
    const socket = connect((server.server.address() as { port: number }).port);
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  };
  const REQUEST = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

  it.each(['', 'GET / HT', 'GET / HTTP/1.1\r\nhost: x\r\n'])(
    'waits no longer for the rest of %j',
    async (text) => {
      const closed = once(await open(text), 'close');
      await server.close();
      await closed;
    },
  );

  it('waits for a request that is under way', async () => {
    const socket = await open(REQUEST);
    await asked;
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    const silent = once(await open(''), 'close');
    const stopped = server.close();
    await silent;
    answer();
    await Promise.all([stopped, once(socket, 'close')]);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK[^]*done$/);
  });

  it('cuts off an answer that has no end', async () => {
    const socket = await open('GET /export HTTP/1.1\r\nhost: x\r\n\r\n');
    await asked;
    const closed = once(socket.resume(), 'close');
    const began = performance.now();
    await server.close();
    await closed;
    expect(performance.now() - began).toBeGreaterThan(LONGEST_MS);
  });

  it('still answers what comes late on a connection that was open', async () => {
    const socket = await open('');
    const stopped = server.close();
    socket.write(REQUEST);
    await asked;
    answer();
    const [chunk] = await once(socket, 'data');
    expect(String(chunk)).toMatch(/^HTTP\/1\.1 200 OK/);
    await stopped;
  });
});
