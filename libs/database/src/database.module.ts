import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dataSourceOptions, type SchemaOptions } from './data-source.js';
import { Database } from './database.js';
import { PartitionKeeper, type KeptPartitions } from './partition-keeper.js';

/** Connects a service to its own schema, provides `Database`, and keeps the months of its divided table. */
@Module({})
export class DatabaseModule {
  static forRoot({ partitions, ...options }: SchemaOptions & { partitions?: KeptPartitions }): DynamicModule {
    const keeper = {
      provide: PartitionKeeper,
      useFactory: () => new PartitionKeeper(options.url, options.schema, partitions!),
    };
    return {
      module: DatabaseModule,
      global: true,
      imports: [
        TypeOrmModule.forRoot({ ...dataSourceOptions(options), retryAttempts: 5, retryDelay: 1_000 }),
      ],
      providers: [Database, ...(partitions ? [keeper] : [])],
      exports: [Database],
    };
  }
}
