import { BusyLoop, eventually } from '#testing';
import { anEvent } from './builders.js';
import { HttpClient } from './http-client.js';
import { startSystem, type System } from './system.js';

describe('a gateway whose event loop is behind', () => {
  let system: System;
  let load: BusyLoop;
  beforeAll(async () => {
    system = await startSystem({ EVENT_LOOP_DELAY_MS: '100' });
    load = new BusyLoop(150);
  });
  afterAll(async () => {
    load.end();
    await system.stop();
  });

  it('refuses requests at once and says when to come back, but answers probes; later it serves again', async () => {
    await eventually(async () => {
      const { status, headers, body } = await system.admin.post('/v1/events', anEvent());
      expect([status, headers.get('retry-after'), body.code]).toEqual([503, '1', 'unavailable']);
      expect(body.detail).toBe('The gateway is overloaded');
    }, 20_000);
    const listeners = [system.url, `http://127.0.0.1:${system.gateway.health_port}`];
    for (const probe of listeners.map((url) => new HttpClient(url)))
      expect((await probe.get('/health/live')).status).toBe(200);
    const { body: metrics } = await new HttpClient(listeners[1]!).get('/metrics');
    expect(metrics).toMatch(/^flotilla_http_shed_total [1-9]/m);

    load.end();
    await eventually(async () => expect((await system.admin.post('/v1/events', anEvent())).status).toBe(201));
  });
});
