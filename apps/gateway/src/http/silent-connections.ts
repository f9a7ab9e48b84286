import { type FastifyInstance } from 'fastify';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';

/**
 * When it stops, Node closes connections that are between two requests at that moment, and waits for all others: those
 * on which a first request has yet to come, or the head of the next, and those that fall idle only later. Whoever
 * holds one would hold up the stop. Answers under way therefore end their connection, and what stays silent for
 * `grace_ms` is cut; so is, after `longest_ms`, whatever is still under way, as an export is that nobody fetches.
 */
export function cutSilentConnections(server: FastifyInstance, grace_ms: number, longest_ms: number): void {
  // The last answer of each connection, also when it is over: entries that come and go with each request would keep
  // what is long gone from the garbage collector.
  const answers = new Map<Socket, ServerResponse | undefined>();
  server.server.on('connection', (socket: Socket) => {
    answers.set(socket, undefined);
    socket.once('close', () => answers.delete(socket));
  });
  server.server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    answers.set(socket, response);
  });
  const isUnderWay = (response?: ServerResponse): boolean => response?.closed === false;
  const cut = (): void => {
    const isLate = performance.now() - stopping_since > longest_ms;
    for (const [socket, response] of answers) if (isLate || !isUnderWay(response)) socket.destroy();
  };
  let timer: NodeJS.Timeout | undefined;
  let stopping_since: number;
  server.addHook('preClose', (done) => {
    for (const response of answers.values()) {
      if (response && isUnderWay(response) && !response.headersSent)
        response.setHeader('connection', 'close');
    }
    stopping_since = performance.now();
    timer = setInterval(cut, grace_ms);
    done();
  });
  server.addHook('onClose', (_, done) => {
    clearInterval(timer);
    done();
  });
}
