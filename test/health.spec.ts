import { eventually } from '#testing';
import { anEvent } from './builders.js';
import { HttpClient } from './http-client.js';
import { startSystem, type System } from './system.js';

describe('health', () => {
  let system: System;
  let anyone: HttpClient;
  let gateway: HttpClient;
  let service: HttpClient;
  const privateOf = (port: number): HttpClient => new HttpClient(`http://127.0.0.1:${port}`);

  beforeAll(async () => {
    system = await startSystem();
    anyone = system.admin.as(undefined);
    gateway = privateOf(system.gateway.health_port);
    service = privateOf(system.activityEvents.health_port);
  });
  afterAll(() => system.stop());

  const statusOf = async (client: HttpClient, path: string): Promise<number> =>
    (await client.get(path)).status;

  it('needs no key, and says how each part is', async () => {
    for (const client of [anyone, gateway]) {
      const { status, body } = await client.get('/health');
      expect(status).toBe(200);
      expect(body).toEqual({
        status: 'ok',
        parts: {
          database: { status: 'up' },
          nats: { status: 'up' },
          audit: { status: 'up' },
          'activity-events': { status: 'up' },
          'device-state': { status: 'up' },
          firmware: { status: 'up' },
          pricing: { status: 'up' },
          messages: { status: 'up' },
        },
      });
    }
    expect((await service.get('/health')).body).toEqual({
      status: 'ok',
      parts: {
        ...{ database: { status: 'up' }, nats: { status: 'up' } },
        ...{ feed: { status: 'up' }, 'feed-consumer': { status: 'up' } },
      },
    });
  });

  it('has the same three routes on every listener', async () => {
    for (const client of [anyone, gateway, service])
      for (const path of ['/health', '/health/live', '/health/ready'])
        expect([path, await statusOf(client, path)]).toEqual([path, 200]);
  });

  it('shows metrics on private listeners only', async () => {
    for (const client of [anyone, system.admin]) expect(await statusOf(client, '/metrics')).toBe(404);
    for (const client of [gateway, service]) {
      const { status, headers, body } = await client.get('/metrics');
      expect(status).toBe(200);
      expect(headers.get('content-type')).toMatch(/^text\/plain/);
      expect(body).toMatch(/^flotilla_process_cpu_seconds_total \d/m);
    }
  });

  it('names each request on every listener, by its own id where it has one', async () => {
    for (const client of [anyone, gateway, service]) {
      const known = await client.get('/health', { 'x-request-id': 'probe-7' });
      expect(known.headers.get('x-request-id')).toBe('probe-7');
      const { headers, body } = await client.get('/nothing', { 'x-request-id': 'not one' });
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      expect(body.request_id).toBe(headers.get('x-request-id'));
    }
  });

  it('serves nothing else on private listeners', async () => {
    for (const client of [gateway, service])
      for (const path of ['/', '/v1/events', '/openapi.json'])
        expect((await client.get(path)).body).toMatchObject({ status: 404, code: 'not_found' });
  });

  describe('without NATS', () => {
    it('is alive but not ready, says so of writes too, and recovers by itself', async () => {
      const { restart } = await system.nats.crash();
      await eventually(async () => {
        for (const client of [anyone, gateway, service])
          expect(await statusOf(client, '/health/ready')).toBe(503);
      });
      const { headers, body } = await anyone.get('/health/ready');
      expect(headers.get('retry-after')).toMatch(/^\d+$/);
      expect(body).toMatchObject({
        code: 'unavailable',
        parts: { nats: { status: 'down' }, database: { status: 'up' } },
      });
      for (const client of [anyone, gateway, service])
        expect(await statusOf(client, '/health/live')).toBe(200);
      const write = await system.admin.post('/v1/events', anEvent());
      expect([write.status, write.body.code, write.headers.get('retry-after')]).toEqual([
        503,
        'unavailable',
        '1',
      ]);
      expect(await statusOf(system.admin, '/v1/members')).toBe(200);

      await restart();
      await eventually(async () => {
        for (const client of [anyone, gateway, service]) expect(await statusOf(client, '/health')).toBe(200);
        expect((await system.admin.post('/v1/events', anEvent())).status).toBe(201);
      });
    });
  });

  describe('without the service of activity events', () => {
    it('keeps the gateway ready, and says what is missing', async () => {
      await system.activityEvents.stop();
      const health = await anyone.get('/health');
      expect([health.status, health.headers.get('content-type')]).toEqual([
        503,
        expect.stringMatching(/^application\/problem\+json/),
      ]);
      expect(health.body.parts).toEqual({
        database: { status: 'up' },
        nats: { status: 'up' },
        audit: { status: 'up' },
        'activity-events': { status: 'down' },
        'device-state': { status: 'up' },
        firmware: { status: 'up' },
        pricing: { status: 'up' },
        messages: { status: 'up' },
      });
      expect(await statusOf(anyone, '/health/ready')).toBe(200);
      for (const answer of [
        await system.admin.post('/v1/events', anEvent()),
        await system.admin.get('/v1/events'),
      ]) {
        expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
        expect(answer.headers.get('retry-after')).toBe('1');
      }
      await system.activityEvents.start();
      await eventually(async () => {
        expect(await statusOf(anyone, '/health')).toBe(200);
        expect((await system.admin.post('/v1/events', anEvent())).status).toBe(201);
      });
    });
  });

  it('finishes what is under way when the service is stopped, and loses nothing', async () => {
    const replica = await system.activityEvents.start();
    const posts = Array.from({ length: 200 }, (_, index) =>
      system.admin.post('/v1/events', anEvent({ component: 'stopping', data: { index } })),
    );
    const [answers] = await Promise.all([Promise.all(posts), replica.stop()]);
    const acknowledged = answers.filter(({ status }) => status === 201).map(({ body }) => body.id as string);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    const { events } = (await system.admin.get('/v1/events?component=stopping&limit=1000')).body;
    expect(events.map(({ id }: { id: string }) => id).sort()).toEqual(acknowledged.sort());
  });
});
