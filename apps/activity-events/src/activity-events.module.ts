import { Module, type DynamicModule } from '@nestjs/common';
import { BusConnection, BusModule } from '#bus';
import { Database, DatabaseModule } from '#database';
import { FeedConsumer, FeedModule, Relay } from '#feeds';
import { ServiceModule } from '#service';
import { type ActivityEventsConfig } from './activity-events.config.js';
import { ActivityEventsController } from './activity-events.controller.js';
import { ENTITIES, SCHEMA } from './activity-events.entity.js';
import { ActivityEventsRepository } from './activity-events.repository.js';
import { ActivityEventsService } from './activity-events.service.js';
import { auditEntryOf } from './audit-event.js';
import { EVENT_FEED } from './event-feed.js';

@Module({})
export class ActivityEventsModule {
  static forRoot(config: ActivityEventsConfig): DynamicModule {
    const name = 'activity-events';
    return {
      module: ActivityEventsModule,
      global: true,
      imports: [
        BusModule.forRoot({ name, url: config.NATS_URL }),
        DatabaseModule.forRoot({
          schema: SCHEMA,
          url: config.DATABASE_URL,
          entities: ENTITIES,
          searches: true,
          partitions: { table: 'events', keep_days: config.EVENTS_RETENTION_DAYS },
        }),
        FeedModule.forRoot(EVENT_FEED, config),
        ServiceModule.forRoot({
          name,
          config,
          parts: {
            inject: [Database, BusConnection, Relay, FeedConsumer],
            useFactory: (...parts: [Database, BusConnection, Relay<object>, FeedConsumer]) =>
              parts.map(({ part }) => part),
          },
        }),
      ],
      controllers: [ActivityEventsController],
      providers: [
        ...[ActivityEventsService, ActivityEventsRepository],
        {
          provide: FeedConsumer,
          inject: [BusConnection, ActivityEventsService],
          useFactory: (nats: BusConnection, events: ActivityEventsService) =>
            new FeedConsumer(nats, {
              name,
              kind: 'audit',
              replicas: config.FEED_REPLICAS,
              handle: (entries) => events.recordAudit(entries.map(auditEntryOf)),
            }),
        },
      ],
      exports: [FeedConsumer],
    };
  }
}
