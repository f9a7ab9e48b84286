import { DataSource } from 'typeorm';
import { BusConnection } from '#bus';
import { Database, dataSourceOptions, feedColumn, inboxTable, takeNew } from '#database';
import { FeedConsumer, Relay, type FeedEntry, type FeedSource } from '#feeds';

export const SCHEMA = 'feeds_test';

export interface Thing {
  device_id: string;
  recorded_at: string;
  note: string;
}

/** A table as any service has one, and its feed; each effect of its consumer is a row. */
export const TABLES = [
  `CREATE TABLE ${SCHEMA}.things (project_id uuid NOT NULL, id uuid NOT NULL, device_id text NOT NULL,
     recorded_at timestamptz(3) NOT NULL DEFAULT now(), note text NOT NULL, PRIMARY KEY (project_id, id))`,
  ...feedColumn(SCHEMA, 'things'),
  inboxTable(SCHEMA),
  `CREATE TABLE ${SCHEMA}.effects (place bigint GENERATED ALWAYS AS IDENTITY, entry_id uuid NOT NULL, note text NOT NULL)`,
];

export const THINGS: FeedSource<Thing> = {
  kind: 'event',
  table: `${SCHEMA}.things`,
  columns: ['device_id', 'recorded_at', 'note'],
  recorded_at: 'recorded_at',
  entryJson: ({ id, note }) => JSON.stringify({ id, note }),
};

export const CONSUMER = 'things-test';
export const POISON = 'poison';

export interface Replica {
  database: Database;
  connection: BusConnection;
  relay: Relay<Thing>;
  consumer: FeedConsumer;
  stop(): Promise<void>;
}

/** A process of the service: its relay, and a consumer of its own feed. */
export async function startReplica(database_url: string, nats_url: string): Promise<Replica> {
  const connection = await BusConnection.open({ name: 'feeds-test', url: nats_url });
  const options = dataSourceOptions({ schema: SCHEMA, url: database_url, entities: [] });
  const source = await new DataSource(options).initialize();
  const database = new Database(source);
  const limits = { replicas: 1, max_bytes: 256 * 1024 * 1024 };
  const relay = new Relay(connection, database, { source: THINGS, url: database_url, limits });
  const handle = (entries: FeedEntry[]): Promise<void> => haveEffects(database, entries);
  const consumer = new FeedConsumer(connection, { name: CONSUMER, kind: 'event', replicas: 1, handle });
  relay.onApplicationBootstrap();
  consumer.onApplicationBootstrap();
  const stop = async (): Promise<void> => {
    await Promise.all([relay.onModuleDestroy(), consumer.onModuleDestroy()]);
    await connection.close();
    await source.destroy();
  };
  let stopped: Promise<void> | undefined;
  return { database, connection, relay, consumer, stop: () => (stopped ??= stop()) };
}

async function haveEffects(database: Database, entries: FeedEntry[]): Promise<void> {
  await database.transaction(async (manager) => {
    const ids = entries.map(({ head }) => head.id);
    const isNew = await takeNew(manager, SCHEMA, CONSUMER, ids);
    const effects = entries
      .filter(({ head }) => isNew.has(head.id))
      .map(({ head, body }) => {
        const { note } = JSON.parse(Buffer.from(body).toString()) as { note: string };
        if (note === POISON) throw new Error('cannot digest this');
        return [head.id, note] as const;
      });
    await manager.query(
      `INSERT INTO ${SCHEMA}.effects (entry_id, note) SELECT * FROM unnest($1::uuid[], $2::text[])`,
      [effects.map(([id]) => id), effects.map(([, note]) => note)],
    );
  });
}
