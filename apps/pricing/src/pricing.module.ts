import { Module, type DynamicModule } from '@nestjs/common';
import { BusConnection, BusModule } from '#bus';
import { Database, DatabaseModule } from '#database';
import { FeedModule, Relay } from '#feeds';
import { ServiceModule } from '#service';
import { Archiver } from './archiver.js';
import { PricingConfig } from './pricing.config.js';
import { PricingController } from './pricing.controller.js';
import { ENTITIES, SCHEMA } from './pricing.entity.js';
import { PricingRepository } from './pricing.repository.js';
import { PricingService } from './pricing.service.js';
import { PRICE_FEED } from './price-feed.js';

@Module({})
export class PricingModule {
  static forRoot(config: PricingConfig): DynamicModule {
    const name = 'pricing';
    return {
      module: PricingModule,
      imports: [
        BusModule.forRoot({ name, url: config.NATS_URL }),
        DatabaseModule.forRoot({
          schema: SCHEMA,
          url: config.DATABASE_URL,
          entities: ENTITIES,
          partitions: { table: 'changes' },
        }),
        FeedModule.forRoot(PRICE_FEED, config),
        ServiceModule.forRoot({
          name,
          config,
          parts: {
            inject: [Database, BusConnection, Relay],
            useFactory: (...parts: [Database, BusConnection, Relay<object>]) => parts.map(({ part }) => part),
          },
        }),
      ],
      controllers: [PricingController],
      providers: [PricingService, PricingRepository, Archiver, { provide: PricingConfig, useValue: config }],
    };
  }
}
