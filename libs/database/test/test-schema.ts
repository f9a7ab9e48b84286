import { type Pool } from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { Database, dataSourceOptions } from '#database';
import { prepareSchema } from '#embedded';
import { queryDatabase, testDatabase } from '#testing';

export interface TestSchema {
  database: Database;
  /** The connections behind `database`. */
  pool: Pool;
  /** In one transaction, as the service. */
  transaction<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result>;
  /** One statement as the role that the service runs as. */
  asService<Row>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** One statement as the role that owns the schema. */
  asOwner<Row>(sql: string, values?: unknown[]): Promise<Row[]>;
  admin_url: string;
  service_url: string;
  close(): Promise<void>;
}

/** A schema in a database of its own, made by these statements, and a service's connection to it. */
export async function testSchema(schema: string, ...statements: string[]): Promise<TestSchema> {
  const admin_url = await testDatabase();
  const { owner, service } = await prepareSchema(admin_url, schema);
  for (const statement of statements) await queryDatabase(owner, statement);
  const source = await new DataSource(dataSourceOptions({ schema, url: service, entities: [] })).initialize();
  const database = new Database(source);
  return {
    database,
    pool: (source.driver as unknown as { master: Pool }).master,
    admin_url,
    service_url: service,
    transaction: (work) => database.transaction(work),
    asService: (sql, values) => queryDatabase(service, sql, values),
    asOwner: (sql, values) => queryDatabase(owner, sql, values),
    close: () => source.destroy(),
  };
}
