import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { Reply } from '#contracts';
import { answer, serialize } from './answer.js';

describe('a body on its way out', () => {
  it.each([
    ['a reply as the service wrote it', Reply.json('{"a": 1.0}'), '{"a": 1.0}'],
    ['text as it is', '{"type":"about:blank"}', '{"type":"about:blank"}'],
    ['anything else as JSON', { a: [1, null] }, '{"a":[1,null]}'],
  ])('is %s', (_, payload, sent) => {
    expect(serialize(payload)).toBe(sent);
  });

  it('is text where a frame brought few bytes', () => {
    expect(serialize(Reply.json(Buffer.from('{"a":"é"}')))).toBe('{"a":"é"}');
  });

  it('is bytes where a frame brought many', () => {
    const bytes = Buffer.from(`{"a":"${'é'.repeat(10_000)}"}`);
    expect(serialize(Reply.json(bytes))).toBe(bytes);
  });
});

describe('an answer', () => {
  let server: FastifyInstance;
  beforeAll(async () => {
    server = fastify();
    server.addHook('preSerialization', answer);
    server.setReplySerializer(serialize as (payload: unknown) => string);
    const reply = (): Reply<unknown> => Reply.json('{"a":1}', { version: '1', next_cursor: 'a=&b' });
    server.get('/*', (_, to) => void to.send(reply()));
    await server.listen({ port: 0, host: '127.0.0.1' });
  });
  afterAll(() => server.close());

  /** As bytes: clients mend what they send. */
  const headersOf = async (line: string, more = ''): Promise<Record<string, string>> => {
    const { port } = server.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.write(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}\r\n`, 'latin1');
    await once(socket, 'close');
    const [status, ...lines] = text.split('\r\n\r\n')[0]!.split('\r\n');
    return Object.fromEntries([
      ['status', status!.split(' ')[1]!],
      ...lines.map((one) => [one.split(': ')[0]!.toLowerCase(), one.slice(one.indexOf(': ') + 2)]),
    ]) as Record<string, string>;
  };

  it.each([
    ['/v1/events', '/v1/events?cursor=a%3D%26b'],
    ['/v1/events?limit=1&cursor=old&order=asc', '/v1/events?limit=1&order=asc&cursor=a%3D%26b'],
    ['/v1/events?%63ursor=old', '/v1/events?cursor=a%3D%26b'],
    ['/v1/devices/%2e%2e/state/history?limit=1', '/v1/devices/%2e%2e/state/history?limit=1&cursor=a%3D%26b'],
    ['/v1/devices/./firmware', '/v1/devices/./firmware?cursor=a%3D%26b'],
    ['/v1/devices/a\\b', '/v1/devices/a%5cb?cursor=a%3D%26b'],
    ['/v1/events?component=%FF&message=a?b', '/v1/events?component=%FF&message=a?b&cursor=a%3D%26b'],
    ['/v1/events?message=>;"', '/v1/events?message=%3e;%22&cursor=a%3D%26b'],
  ])('to %s has its next page at %s', async (target, next) => {
    expect((await headersOf(`GET ${target}`)).link).toBe(`<${next}>; rel="next"`);
  });

  it('of 304 has no body, and tells no length that another answer would not have', async () => {
    const known = 'If-None-Match: "1"\r\n';
    const got = await headersOf('GET /', known);
    expect(got).toMatchObject({ status: '304', etag: '"1"' });
    expect(got).not.toHaveProperty('content-length');
    expect(got).not.toHaveProperty('content-type');
    expect(await headersOf('HEAD /', known)).toMatchObject({ status: '304', 'content-length': '7' });
    expect(await headersOf('GET /')).toMatchObject({ status: '200', 'content-length': '7' });
  });
});
