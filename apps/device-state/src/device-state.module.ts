import { Module, type DynamicModule } from '@nestjs/common';
import { BusConnection, BusModule } from '#bus';
import { Database, DatabaseModule } from '#database';
import { FeedModule, Relay } from '#feeds';
import { ServiceModule } from '#service';
import { type DeviceStateConfig } from './device-state.config.js';
import { DeviceStateController } from './device-state.controller.js';
import { ENTITIES, SCHEMA } from './device-state.entity.js';
import { DeviceStateRepository } from './device-state.repository.js';
import { DeviceStateService } from './device-state.service.js';
import { DUPLICATE_RULES, type DuplicateRule } from './duplicate-rules.js';
import { RecordingRepository } from './recording.repository.js';
import { RecordingService, RULES } from './recording.service.js';
import { STATE_FEED } from './state-feed.js';

@Module({})
export class DeviceStateModule {
  /** @param rules what tells a repeat from a change, strongest evidence first */
  static forRoot(
    config: DeviceStateConfig,
    rules: readonly DuplicateRule[] = DUPLICATE_RULES,
  ): DynamicModule {
    const name = 'device-state';
    return {
      module: DeviceStateModule,
      imports: [
        BusModule.forRoot({ name, url: config.NATS_URL }),
        DatabaseModule.forRoot({
          schema: SCHEMA,
          url: config.DATABASE_URL,
          entities: ENTITIES,
          partitions: { table: 'history', keep_days: config.STATE_HISTORY_RETENTION_DAYS },
        }),
        FeedModule.forRoot(STATE_FEED, config),
        ServiceModule.forRoot({
          name,
          config,
          parts: {
            inject: [Database, BusConnection, Relay],
            useFactory: (...parts: [Database, BusConnection, Relay<object>]) => parts.map(({ part }) => part),
          },
        }),
      ],
      controllers: [DeviceStateController],
      providers: [
        ...[RecordingService, RecordingRepository, DeviceStateService, DeviceStateRepository],
        { provide: RULES, useValue: rules },
      ],
    };
  }
}
