import { Module, type DynamicModule } from '@nestjs/common';
import { BusConnection, BusModule } from '#bus';
import { Database, DatabaseModule } from '#database';
import { FeedModule, Relay } from '#feeds';
import { ServiceModule, type Part } from '#service';
import { ArchiveDirectory } from './archive-directory.js';
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
    const { DATABASE_URL, PRICING_ARCHIVE_DIR } = config;
    const archiver = {
      provide: Archiver,
      useFactory: () => new Archiver(DATABASE_URL, new ArchiveDirectory(PRICING_ARCHIVE_DIR!)),
    };
    const archivers = PRICING_ARCHIVE_DIR === undefined ? [] : [archiver];
    return {
      module: PricingModule,
      global: true,
      imports: [
        BusModule.forRoot({ name, url: config.NATS_URL }),
        DatabaseModule.forRoot({
          schema: SCHEMA,
          url: DATABASE_URL,
          entities: ENTITIES,
          partitions: { table: 'changes' },
        }),
        FeedModule.forRoot(PRICE_FEED, config),
        ServiceModule.forRoot({
          name,
          config,
          parts: {
            inject: [Database, BusConnection, Relay, ...archivers.map(({ provide }) => provide)],
            useFactory: (...parts: { part: Part }[]) => parts.map(({ part }) => part),
          },
        }),
      ],
      controllers: [PricingController],
      providers: [PricingService, PricingRepository, ...archivers],
      exports: archivers,
    };
  }
}
