import fastify from 'fastify';
import { AllowedMethods } from './allowed-methods.js';

describe('the methods that a path knows', () => {
  const server = fastify({ exposeHeadRoutes: false });
  const allowed = new AllowedMethods(server);
  const handler = async () => 'ok';
  server.get('/v1/events', handler);
  server.post('/v1/events', handler);
  server.get('/v1/events/histogram', handler);
  server.get('/v1/events/:id', handler);
  server.route({ method: ['GET', 'PATCH'], url: '/v1/devices/:device_id/state', handler });
  server.get('/openapi.json', handler);

  it.each([
    ['/v1/events', ['GET', 'POST']],
    ['/v1/events/018', ['GET']],
    ['/v1/devices/pump%207%2Fnorth/state', ['GET', 'PATCH']],
    ['/openapi.json', ['GET']],
  ])('%s are %j', (path, methods) => {
    expect(allowed.of(path)).toEqual(methods);
  });

  it('are each named once where two routes answer', () => {
    expect(allowed.of('/v1/events/histogram')).toEqual(['GET']);
  });

  it.each([
    '/',
    '/v1',
    '/v1/events/',
    '/v1/events/1/2',
    '/v1/eventsx',
    '/x/v1/events',
    '/openapiXjson',
    '/v1/devices//state',
  ])('of %s, which nothing answers, are none', (path) => {
    expect(allowed.of(path)).toEqual([]);
  });
});
