import { Module, type ModuleMetadata } from '@nestjs/common';
import { type SchemaOptions } from '#database';
import { loadConfig } from '#service';
import { serveBaseline } from './baseline-app.js';
import { BaselineConfig } from './baseline.config.js';
import { PooledDatabaseModule } from './pooled-database.module.js';

@Module({})
class MonolithModule {}

/** A baseline that asks Postgres itself, for the tables of one of the product's services. */
export async function serveMonolith(
  tables: Omit<SchemaOptions, 'url'>,
  parts: Pick<ModuleMetadata, 'controllers' | 'providers'>,
): Promise<void> {
  const config = loadConfig(BaselineConfig);
  const database = PooledDatabaseModule.forRoot({ ...tables, url: config.DATABASE_URL! }, config.POOL_SIZE);
  await serveBaseline({ module: MonolithModule, imports: [database], ...parts }, config);
}
