import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { type Socket } from 'node:net';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Failure, withinProjects } from '#contracts';
import { Metrics, requestIdOf } from '#service';
import { authenticateUnread, type AuthenticatedRequest } from '../auth/authentication.js';
import { KeyRing } from '../auth/key-ring.js';
import { RateLimiter } from '../auth/rate-limiter.js';
import { Turns } from '../auth/turns.js';
import { GatewayConfig } from '../gateway.config.js';
import { problemOf, ProblemFilter, sendProblem } from '../problem.filter.js';
import { AllowedMethods } from './allowed-methods.js';
import { BODY_LIMIT_BYTES } from './announced-body.js';
import { limitBodyTime } from './body-time.js';
import { answer, serialize } from './answer.js';
import { ContractPipe } from './contract.pipe.js';
import { exactDecimalsOf } from './exact-decimals.js';
import { parseIJson } from './i-json.js';
import { shedLoad } from './load-shedding.js';
import { MERGE_PATCH, mergePatchBody } from './merge-patch-body.js';
import { NDJSON, ndjsonBody } from './ndjson-body.js';
import { refuseUnread } from './refuse-unread.js';
import { measureRequests } from './request-metrics.js';
import { followRequests } from './request-trail.js';
import { cutSilentConnections } from './silent-connections.js';

const BODY_TIME_MS = 30_000;
const LAST_GRACE_MS = 5_000;
/** A request that came in time may send its body for as long. Orchestrators wait a little longer. */
const LONGEST_STOP_MS = BODY_TIME_MS;

/** Fastify with the limits that every public listener needs, and errors of HTTP itself as problems. */
export function httpAdapter(config: GatewayConfig): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    // For headers Node's own limit will do; for bodies see `limitBodyTime`.
    requestTimeout: 0,
    http: { headersTimeout: BODY_TIME_MS, connectionsCheckingInterval: 5_000 },
    connectionTimeout: 60_000,
    keepAliveTimeout: 72_000,
    // What still comes over a kept connection while the gateway stops is answered, and the connection closed with it:
    // the client cannot know, and another gateway would not see its request.
    return503OnClosing: false,
    trustProxy: config.TRUSTED_PROXIES === '' ? false : config.TRUSTED_PROXIES.split(','),
    routerOptions: { maxParamLength: 2_048 },
    logger: false,
    genReqId: requestIdOf,
    frameworkErrors: (_: unknown, request: FastifyRequest, reply: FastifyReply) => {
      reply.header('x-request-id', request.id);
      sendProblem(new Failure('invalid', 'The path is not a valid URL path'), request, reply);
    },
    clientErrorHandler: (error: Error & { code?: string }, socket: Socket) =>
      refuseConnection(error.code, socket),
  });
}

/** Request ids, I-JSON bodies, validation, replies, problems, and shedding when the event loop falls behind. */
export function prepareHttp(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, parsing(jsonBody));
  server.addContentTypeParser(MERGE_PATCH, { parseAs: 'buffer' }, parsing(mergePatchBody));
  server.addContentTypeParser(NDJSON, parsing(ndjsonBody));
  limitBodyTime(server, BODY_TIME_MS, (socket) => refuseConnection('ERR_HTTP_REQUEST_TIMEOUT', socket));
  cutSilentConnections(server, LAST_GRACE_MS, LONGEST_STOP_MS);
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  const keyRing = app.get(KeyRing);
  server.decorate('isHeld', (principal) => keyRing.isHeld(principal));
  const config = app.get(GatewayConfig);
  followRequests(server, config.isTalkative);
  server.addHook('preHandler', confine);
  server.addHook('preSerialization', answer);
  server.setReplySerializer(serialize as (payload: unknown) => string);
  const metrics = app.get(Metrics);
  measureRequests(server, metrics);
  const turns = app.get(Turns);
  metrics.gauge('http_waiting', 'Requests that wait for the turn of their project.', () => turns.waiting);
  shedLoad(server, config.EVENT_LOOP_DELAY_MS, metrics);
  refuseUnread(server);
  authenticateUnread(server, keyRing, app.get(RateLimiter));
  app.useGlobalFilters(new ProblemFilter(new AllowedMethods(server)));
  app.useGlobalPipes(new ContractPipe());
}

/** A parser of bodies that says by throwing why it cannot. */
function parsing<Body>(
  parse: (request: FastifyRequest, body: Body) => unknown,
): (request: FastifyRequest, body: Body, done: (error: Error | null, parsed?: unknown) => void) => void {
  return (request, body, done) => {
    let parsed: unknown;
    try {
      parsed = parse(request, body);
    } catch (error) {
      done(error as Error);
      return;
    }
    done(null, parsed);
  };
}

/** Many clients send the header with each request, with or without a body. */
function jsonBody(request: FastifyRequest, body: Buffer): unknown {
  return body.length === 0 ? undefined : parseIJson(body, exactDecimalsOf(request));
}

/** A request sees its caller's project, the operator's every project, and before the guard has spoken none. */
function confine(request: FastifyRequest, _: FastifyReply, done: () => void): void {
  withinProjects(() => {
    const { principal } = request as Partial<AuthenticatedRequest>;
    if (!principal) return [];
    const { role, project_id } = principal.caller;
    return role === 'operator' ? 'every' : [project_id];
  }, done);
}

/** A request that HTTP itself refuses never becomes one of Fastify's: the answer is written by hand. */
function refuseConnection(code: string | undefined, socket: Socket): void {
  if (!socket.writable) return;
  const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const failure = new Failure('invalid', 'The request cannot be understood');
  const request_id = randomUUID();
  const body = JSON.stringify({ ...problemOf(failure, request_id), title: STATUS_CODES[status], status });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]!}\r\nContent-Type: application/problem+json\r\nX-Request-Id: ${request_id}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
