import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo } from 'node:net';
import { closedLoop } from './closed-loop.js';
import { NO_ANSWER, REFUSAL } from './failures.js';
import { type LoadPlan } from './load.js';
import { paced } from './paced-load.js';

describe.each([
  ['closed loop', closedLoop, undefined],
  ['load by the clock', paced, 100],
])('A %s', (_, run, rate) => {
  /** What comes of a second of requests to a server that does these in turn. */
  const failuresOf = async (...turns: RequestListener[]): Promise<string[]> => {
    let turn = 0;
    const server = createServer((...exchange) => turns[turn++ % turns.length]!(...exchange));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const requests = [{ method: 'GET' as const, path: '/', headers: {} }];
    const plan: LoadPlan = { url, connections: 4, warm_up_s: 0, seconds: 1, rate, requests };
    const { failures } = await run(plan, plan.seconds);
    server.close();
    server.closeAllConnections();
    return Object.keys(failures).sort();
  };
  const answering =
    (status: number, headers = {}): RequestListener =>
    (_, response) =>
      response.writeHead(status, { 'content-length': 0, ...headers }).end();

  it('has no failure where all is well, though its end cuts off who waits', async () => {
    expect(await failuresOf(answering(201))).toEqual([]);
  });

  it('tells answers other than 2xx by their status, and by whether they say when to come back', async () => {
    const refusal = answering(503, { 'Retry-After': 1 });
    expect(await failuresOf(answering(201), answering(500), answering(503), refusal)).toEqual([
      '500',
      '503',
      REFUSAL,
    ]);
  });

  it('tells connections that end without an answer, in one way or another', async () => {
    const closing: RequestListener = ({ socket }) => socket.end();
    const resetting: RequestListener = ({ socket }) => socket.resetAndDestroy();
    expect(await failuresOf(closing)).toEqual([NO_ANSWER]);
    expect(await failuresOf(resetting)).toEqual([NO_ANSWER]);
  });
});
