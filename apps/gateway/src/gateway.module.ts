import { Module, type DynamicModule } from '@nestjs/common';
import { Bus, BusConnection, BusModule } from '#bus';
import { Database, DatabaseModule } from '#database';
import { FeedModule, Relay } from '#feeds';
import { ServiceModule, type Part } from '#service';
import { ActivityEventsController } from './activity-events.controller.js';
import { AUDIT_FEED } from './auth/audit-feed.js';
import { ENTITIES, SCHEMA } from './auth/auth.entity.js';
import { AuthModule } from './auth/auth.module.js';
import { BulkController } from './bulk/bulk.controller.js';
import { BulksUnderWay } from './bulk/bulks-under-way.js';
import { LineKinds } from './bulk/line-kinds.js';
import { ConversationsController } from './conversations.controller.js';
import { DeviceStateController } from './device-state.controller.js';
import { FirmwareController } from './firmware.controller.js';
import { FleetController } from './fleet.controller.js';
import { type GatewayConfig } from './gateway.config.js';
import { MessagesController } from './messages.controller.js';
import { PricingController } from './pricing.controller.js';
import { LiveFeeds } from './stream/live-feeds.js';
import { MissedEntries } from './stream/missed-entries.js';
import { StreamController } from './stream/stream.controller.js';
import { StreamService } from './stream/stream.service.js';
import { TimelineController } from './timeline.controller.js';
import { TimelineService } from './timeline.service.js';

/** The services behind; the gateway stays ready without them and says `unavailable` for what they answer. */
const SERVICES = ['activity-events', 'device-state', 'firmware', 'messages', 'pricing'] as const;

@Module({})
export class GatewayModule {
  static forRoot(config: GatewayConfig): DynamicModule {
    const name = 'gateway';
    return {
      module: GatewayModule,
      imports: [
        BusModule.forRoot({ name, url: config.NATS_URL }),
        DatabaseModule.forRoot({
          schema: SCHEMA,
          url: config.DATABASE_URL,
          entities: ENTITIES,
          searches: true,
        }),
        FeedModule.forRoot(AUDIT_FEED, config),
        ServiceModule.forRoot({
          name,
          config,
          parts: {
            inject: [Database, BusConnection, Bus, Relay],
            useFactory: (database: Database, nats: BusConnection, bus: Bus, relay: Relay<object>): Part[] => [
              database.part,
              { ...nats.part, gauges: { ...nats.part.gauges, ...bus.gauges } },
              { ...relay.part, name: 'audit' },
              ...SERVICES.map((name) => ({ name, essential: false, check: () => bus.ping(name) })),
            ],
          },
        }),
        AuthModule.forRoot(config),
      ],
      controllers: [
        ActivityEventsController,
        DeviceStateController,
        FleetController,
        FirmwareController,
        MessagesController,
        ConversationsController,
        PricingController,
        TimelineController,
        BulkController,
        StreamController,
      ],
      providers: [TimelineService, BulksUnderWay, LineKinds, StreamService, LiveFeeds, MissedEntries],
    };
  }
}
