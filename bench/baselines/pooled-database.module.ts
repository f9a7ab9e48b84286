import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import pg from 'pg';
import { Database, dataSourceOptions, type SchemaOptions } from '#database';

/** The product's own way to its database, with a pool of the size that suits the baseline best. */
@Module({})
export class PooledDatabaseModule {
  static forRoot(options: SchemaOptions, connections: number): DynamicModule {
    const product = dataSourceOptions(options);
    // A request may wait for its turn as long as it takes: refusing it early would count as a failure.
    const patience = { connectionTimeoutMillis: 10_000, lock_timeout: 10_000, statement_timeout: 15_000 };
    const extra = { ...(product.extra as object), ...patience, max: connections };
    return {
      module: PooledDatabaseModule,
      global: true,
      imports: [TypeOrmModule.forRoot({ ...product, driver: pg, extra })],
      providers: [Database],
      exports: [Database],
    };
  }
}
