import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Database, dataSourceOptions, type SchemaOptions } from '#database';

/** The product's own way to its database, with a pool of the size that suits the baseline best. */
@Module({})
export class PooledDatabaseModule {
  static forRoot(options: SchemaOptions, connections: number): DynamicModule {
    const product = dataSourceOptions(options);
    // A request may wait for its turn as long as it takes: refusing it early would count as a failure.
    const extra = { ...(product.extra as object), max: connections, connectionTimeoutMillis: 10_000 };
    return {
      module: PooledDatabaseModule,
      global: true,
      imports: [TypeOrmModule.forRoot({ ...product, extra })],
      providers: [Database],
      exports: [Database],
    };
  }
}
