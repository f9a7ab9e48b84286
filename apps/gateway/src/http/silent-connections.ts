import { type FastifyInstance } from 'fastify';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';

/**
 * When it stops, Node closes connections that are between two requests at that moment, and waits for all others: those
 * on which a first request has yet to come, or the head of the next, and those that fall idle only later. Whoever
 * holds one would hold up the stop. Answers under way therefore end their connection, and what stays silent for
 * `grace_ms` is cut.
 */
export function cutSilentConnections(server: FastifyInstance, grace_ms: number): void {
  const open = new Set<Socket>();
  const underWay = new Set<ServerResponse>();
  server.server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.server.on('request', (_: IncomingMessage, response: ServerResponse) => {
    underWay.add(response);
    response.once('close', () => underWay.delete(response));
  });
  const cut = (): void => {
    const busy = new Set([...underWay].map(({ req }) => req.socket));
    for (const socket of open) if (!busy.has(socket)) socket.destroy();
  };
  let timer: NodeJS.Timeout | undefined;
  server.addHook('preClose', (done) => {
    for (const response of underWay) if (!response.headersSent) response.setHeader('connection', 'close');
    timer = setInterval(cut, grace_ms);
    done();
  });
  server.addHook('onClose', (_, done) => {
    clearInterval(timer);
    done();
  });
}
