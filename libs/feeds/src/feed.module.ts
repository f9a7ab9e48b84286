import { Module, type DynamicModule } from '@nestjs/common';
import { BusConnection } from '#bus';
import { Database } from '#database';
import { FeedReader } from './feed-reader.js';
import { type FeedSource } from './feed-source.js';
import { Relay } from './relay.js';

/** What of an app's configuration its feed goes by. */
export interface FeedSettings {
  DATABASE_URL: string;
  FEED_REPLICAS: number;
  FEED_MAX_MIB: number;
}

/** Provides the `Relay` that publishes a service's feed, and the `FeedReader` that answers who has missed some. */
@Module({})
export class FeedModule {
  static forRoot<Row extends object>(source: FeedSource<Row>, settings: FeedSettings): DynamicModule {
    const options = {
      source,
      url: settings.DATABASE_URL,
      limits: { replicas: settings.FEED_REPLICAS, max_bytes: settings.FEED_MAX_MIB * 1024 * 1024 },
    };
    return {
      module: FeedModule,
      global: true,
      providers: [
        {
          provide: Relay,
          inject: [BusConnection, Database],
          useFactory: (nats: BusConnection, database: Database) => new Relay(nats, database, options),
        },
        {
          provide: FeedReader,
          inject: [Database],
          useFactory: (database: Database) => new FeedReader(database, source),
        },
      ],
      exports: [Relay, FeedReader],
    };
  }
}
