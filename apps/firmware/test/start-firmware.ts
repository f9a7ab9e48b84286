import { type Bus } from '#bus';
import { type SchemaUrls } from '#embedded';
import { testService } from '#testing';
import { FirmwareConfig } from '../src/firmware.config.js';
import * as tables from '../src/firmware.entity.js';
import { FirmwareModule } from '../src/firmware.module.js';
import { MIGRATIONS } from '../src/migrations/index.js';

export interface Firmware {
  /** Calls the service, as the gateway does. */
  bus: Bus;
  /** As another gateway does. */
  anotherBus: Bus;
  urls: SchemaUrls;
  stop(): Promise<void>;
}

/** The service alone, as so many replicas, over a real Postgres and a real NATS, for the tests of one file. */
export async function startFirmware({ replicas = 1 } = {}): Promise<Firmware> {
  const service = await testService({
    name: 'firmware',
    config: FirmwareConfig,
    module: FirmwareModule,
    tables,
    migrations: MIGRATIONS,
  });
  await Promise.all(Array.from({ length: replicas }, () => service.start()));
  return { ...service, bus: await service.gateway(), anotherBus: await service.gateway() };
}
