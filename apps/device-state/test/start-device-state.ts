import { type Bus } from '#bus';
import { type SchemaUrls } from '#embedded';
import { testService } from '#testing';
import { DeviceStateConfig } from '../src/device-state.config.js';
import * as tables from '../src/device-state.entity.js';
import { DeviceStateModule } from '../src/device-state.module.js';
import { type DuplicateRule } from '../src/duplicate-rules.js';
import { MIGRATIONS } from '../src/migrations/index.js';

export interface DeviceState {
  /** Calls the service, as the gateway does. */
  bus: Bus;
  urls: SchemaUrls;
  stop(): Promise<void>;
}

/** The service alone, as many replicas of it as told, over a real Postgres and a real NATS. */
export async function startDeviceState({
  replicas = 1,
  rules,
}: { replicas?: number; rules?: readonly DuplicateRule[] } = {}): Promise<DeviceState> {
  const service = await testService({
    name: 'device-state',
    config: DeviceStateConfig,
    module: DeviceStateModule,
    tables,
    migrations: MIGRATIONS,
  });
  const start = () => service.start({}, (config) => DeviceStateModule.forRoot(config, rules));
  await Promise.all(Array.from({ length: replicas }, start));
  const bus = await service.gateway({ calls_a_frame: 32, frames_in_flight: 8 });
  return {
    bus,
    urls: service.urls,
    async stop() {
      await bus.drain();
      await service.stop();
    },
  };
}
