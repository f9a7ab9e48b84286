import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { eventually } from '#testing';
import { AppConfig } from './config.js';
import { runService, type RunningService } from './run-service.js';
import { ServiceModule } from './service.module.js';
import { Lifecycle } from './lifecycle.js';

/** What the app of these tests needs; each part is there unless it is missing. */
class Kitchen {
  readonly missing = new Set<string>();
  readonly asked: string[] = [];
  /** When each part answers. */
  ready = Promise.resolve();

  part(name: string, essential: boolean) {
    const check = async () => {
      this.asked.push(name);
      await this.ready;
      if (this.missing.has(name)) throw new Error(`the secret of ${name}`);
    };
    return { name, essential, check };
  }
}

@Module({})
class OvenModule {}

describe('a running service', () => {
  let kitchen: Kitchen;
  let service: RunningService;

  beforeEach(async () => {
    kitchen = new Kitchen();
    const config = Object.assign(new AppConfig(), { HEALTH_PORT: 0, LOG_LEVEL: 'silent' });
    const parts = { useFactory: () => [kitchen.part('stove', true), kitchen.part('radio', false)] };
    const imports = [ServiceModule.forRoot({ name: 'oven', config, parts })];
    const app = await NestFactory.createApplicationContext(
      { module: OvenModule, imports },
      { logger: false },
    );
    service = await runService(app, config, () => app.init());
  });
  afterEach(() => service.stop());

  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${service.health_port}${path}`);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text };
  };
  const statuses = async (...paths: string[]): Promise<number[]> =>
    Promise.all(paths.map(async (path) => (await get(path)).status));

  it('is healthy, alive and ready when all its parts are there', async () => {
    expect(await statuses('/health', '/health/live', '/health/ready')).toEqual([200, 200, 200]);
    expect(JSON.parse((await get('/health')).text)).toEqual({
      status: 'ok',
      parts: { stove: { status: 'up' }, radio: { status: 'up' } },
    });
  });

  it('is alive, but neither healthy nor ready without an essential part', async () => {
    kitchen.missing.add('stove');
    expect(await statuses('/health', '/health/live', '/health/ready')).toEqual([503, 200, 503]);
  });

  it('is ready, but not healthy without a part that is not essential', async () => {
    kitchen.missing.add('radio');
    expect(await statuses('/health', '/health/live', '/health/ready')).toEqual([503, 200, 200]);
  });

  it('says which part is missing, and nothing of why', async () => {
    kitchen.missing.add('radio');
    const { text, headers } = await get('/health');
    expect(JSON.parse(text)).toMatchObject({
      code: 'unavailable',
      detail: 'Missing: radio',
      parts: { stove: { status: 'up' }, radio: { status: 'down' } },
    });
    expect(text).not.toContain('secret');
    expect(headers.get('retry-after')).toBe('1');
    expect(headers.get('content-type')).toContain('application/problem+json');
  });

  it('asks each part once for all who ask meanwhile', async () => {
    const answering = Promise.withResolvers<void>();
    kitchen.ready = answering.promise;
    const asking = statuses('/health', '/health', '/health/ready', '/health');
    await eventually(() => kitchen.asked.length >= 2);
    await statuses('/health/live');
    answering.resolve();
    expect(await asking).toEqual([200, 200, 200, 200]);
    expect(kitchen.asked.sort()).toEqual(['radio', 'stove']);
    await statuses('/health');
    expect(kitchen.asked).toHaveLength(4);
  });

  it('is not ready, but alive while it stops', async () => {
    service.app.get(Lifecycle).stopping();
    expect(await statuses('/health/live', '/health/ready')).toEqual([200, 503]);
  });

  it('gives its metrics', async () => {
    const { status, text } = await get('/metrics');
    expect(status).toBe(200);
    expect(text).toMatch(/^flotilla_process_cpu_seconds_total \d/m);
  });

  it('answers nothing else', async () => {
    expect(await statuses('/', '/v1/events', '/health/x')).toEqual([404, 404, 404]);
  });

  it('has closed its listener once it has stopped, however often it is told to', async () => {
    await Promise.all([service.stop(), service.stop()]);
    await expect(get('/health/live')).rejects.toThrow();
  });
});
