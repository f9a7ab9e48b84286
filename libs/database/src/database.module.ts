import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dataSourceOptions, type SchemaOptions } from './data-source.js';
import { Database } from './database.js';

/** Connects a service to its own schema and provides `Database`. */
@Module({})
export class DatabaseModule {
  static forRoot(options: SchemaOptions): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      imports: [
        TypeOrmModule.forRoot({ ...dataSourceOptions(options), retryAttempts: 5, retryDelay: 1_000 }),
      ],
      providers: [Database],
      exports: [Database],
    };
  }
}
