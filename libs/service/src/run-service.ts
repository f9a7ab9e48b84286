import { type AddressInfo } from 'node:net';
import { type INestApplicationContext } from '@nestjs/common';
import { Logger } from 'nestjs-pino';
import { type AppConfig } from './config.js';
import { tuneGarbageCollection } from './garbage-collection.js';
import { HealthController } from './health.controller.js';
import { collectWhenIdle } from './idle-collection.js';
import { Lifecycle } from './lifecycle.js';
import { Metrics } from './metrics.js';
import { openPrivateListener } from './private-listener.js';
import { reasonOf } from './reason.js';

export interface RunningService {
  app: INestApplicationContext;
  /** Port of the private listener; the one chosen by the system when the configuration says 0. */
  health_port: number;
  /** Not ready, then finish what is under way, then close everything. Harmless when repeated. */
  stop(): Promise<void>;
}

/** Puts an app into service: it listens, its health and metrics are open, it is ready to be probed. */
export async function runService<App extends INestApplicationContext>(
  app: App,
  config: AppConfig,
  listen: (app: App) => Promise<unknown>,
): Promise<RunningService> {
  app.useLogger(app.get(Logger));
  app.flushLogs();
  await listen(app);
  const lifecycle = app.get(Lifecycle);
  const listener = await openPrivateListener(app.get(HealthController), app.get(Metrics), config.HEALTH_PORT);
  lifecycle.serving();

  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    lifecycle.stopping();
    await app.close();
    await listener.close();
  };
  return {
    app,
    health_port: (listener.server.address() as AddressInfo).port,
    stop: () => (stopped ??= stop()),
  };
}

/**
 * The process around a service: SIGTERM and SIGINT stop it in order, or at once while it starts; a start that fails says
 * why and exits 1. When started with an IPC channel it also stops when its parent dies.
 */
export async function launch(start: () => Promise<RunningService>): Promise<void> {
  tuneGarbageCollection();
  let service: RunningService | undefined;
  const stop = (): void => {
    // Nothing is under way yet, and what the start waits for may never come.
    if (!service) process.exit(0);
    service.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.once('disconnect', stop);
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-boolean-literal-compare -- undefined without IPC
  if (process.connected === false) stop();
  try {
    service = await start();
    process.send?.({ serving: true });
    collectWhenIdle();
  } catch (error) {
    console.error(reasonOf(error));
    process.exit(1);
  }
}
