import { type FastifyInstance } from 'fastify';
import { type Metrics } from '#service';
import { routeOf } from './route-of.js';

const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What is answered as a stream: it takes as long as there is to tell, or as its reader takes. */
const STREAMED = /^(text\/event-stream|application\/x-ndjson|text\/csv)\b/;

/** Times every request by its route (never by its URL, which callers choose), method and status; streams are not slow, but long. */
export function measureRequests(server: FastifyInstance, metrics: Metrics): void {
  const seconds = metrics.histogram('http_request_seconds', 'Time from request to answer.', BUCKETS_S, [
    'method',
    'route',
    'status',
  ]);
  server.addHook('onResponse', (request, reply, done) => {
    if (!STREAMED.test(String(reply.getHeader('content-type')))) {
      const labels = [request.method, routeOf(request), String(reply.statusCode)];
      seconds.labels(...labels).observe(reply.elapsedTime / 1000);
    }
    done();
  });
}
