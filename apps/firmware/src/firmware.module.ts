import { Module, type DynamicModule } from '@nestjs/common';
import { BusConnection, BusModule } from '#bus';
import { Database, DatabaseModule } from '#database';
import { FeedModule, Relay } from '#feeds';
import { ServiceModule } from '#service';
import { FirmwareConfig } from './firmware.config.js';
import { FirmwareController } from './firmware.controller.js';
import { ENTITIES, SCHEMA } from './firmware.entity.js';
import { FirmwareRepository } from './firmware.repository.js';
import { FirmwareService } from './firmware.service.js';
import { RecordingRepository } from './recording.repository.js';
import { RecordingService } from './recording.service.js';
import { FIRMWARE_FEED } from './firmware-feed.js';

@Module({})
export class FirmwareModule {
  static forRoot(config: FirmwareConfig): DynamicModule {
    const name = 'firmware';
    return {
      module: FirmwareModule,
      imports: [
        BusModule.forRoot({ name, url: config.NATS_URL }),
        DatabaseModule.forRoot({
          schema: SCHEMA,
          url: config.DATABASE_URL,
          entities: ENTITIES,
          partitions: { table: 'firmware_events' },
        }),
        FeedModule.forRoot(FIRMWARE_FEED, config),
        ServiceModule.forRoot({
          name,
          config,
          parts: {
            inject: [Database, BusConnection, Relay],
            useFactory: (...parts: [Database, BusConnection, Relay<object>]) => parts.map(({ part }) => part),
          },
        }),
      ],
      controllers: [FirmwareController],
      providers: [RecordingService, RecordingRepository, FirmwareService, FirmwareRepository],
    };
  }
}
