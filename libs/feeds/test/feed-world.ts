import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { Client } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { BusConnection, decodeFrame } from '#bus';
import { type FeedHead } from '#contracts';
import { prepareSchema } from '#embedded';
import { queryDatabase, testDatabase, testNats, type TestNats } from '#testing';
import { decodeBatch, deadLetterStream, feedSubject, streamName, type FeedBatch } from '#feeds';
import { CONSUMER, SCHEMA, startReplica, TABLES, type Replica } from './things.js';

/** A database with things, a NATS, and processes that publish and consume the feed of things. */
export interface FeedWorld {
  nats: TestNats;
  project_id: string;
  /** Looks at JetStream from outside. */
  connection: BusConnection;
  streams(): Promise<JetStreamManager['streams']>;
  query<Row>(sql: string, values?: unknown[]): Promise<Row[]>;
  connect(): Promise<Client>;
  /** @param nats_url another way to its NATS */
  start(nats_url?: string): Promise<Replica>;
  /** As a process that can be killed. */
  fork(): Promise<ChildProcess>;
  /** Their ids. */
  insert(count: number, rest?: { note?: string; recorded_at?: string; on?: Client }): Promise<string[]>;
  published(): Promise<FeedBatch[]>;
  publishedIds(): Promise<string[]>;
  deadIds(): Promise<string[]>;
  /** Publishes to the feed what is no batch. */
  stray(): Promise<void>;
  stop(): Promise<void>;
}

export async function feedWorld(): Promise<FeedWorld> {
  const [admin_url, nats] = await Promise.all([testDatabase(), testNats()]);
  const { owner, service } = await prepareSchema(admin_url, SCHEMA);
  for (const statement of TABLES) await queryDatabase(owner, statement);
  const project_id = randomUUID();
  const outside = await BusConnection.open({ name: 'outside', url: nats.url });
  const client = new Client({ connectionString: owner });
  await client.connect();
  const running: { stop(): Promise<unknown> }[] = [];

  const streams = async (): Promise<JetStreamManager['streams']> =>
    (await jetstreamManager(outside.nats, { checkAPI: false })).streams;
  const messages = <T>(stream: string, read: (message: Stored) => T): Promise<T[]> =>
    outside.ask(() => readAll(stream, read));
  const readAll = async <T>(stream: string, read: (message: Stored) => T): Promise<T[]> => {
    const api = await streams();
    const { state } = await api.info(stream);
    const found: T[] = [];
    for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq += 1) {
      const message = await api.getMessage(stream, { seq });
      if (message) found.push(read(message));
    }
    return found;
  };
  const published = async (): Promise<FeedBatch[]> =>
    (
      await messages(streamName('event'), ({ subject, data, header }) =>
        decodeBatch({ subject, data, headers: header }),
      )
    ).filter((batch) => batch !== undefined);
  const idsOf = (batches: { entries: { head: FeedHead }[] }[]): string[] =>
    batches.flatMap(({ entries }) => entries.map(({ head }) => head.id));

  return {
    ...{ nats, project_id, connection: outside, streams, published },
    query: async <Row>(sql: string, values?: unknown[]) => (await client.query(sql, values)).rows as Row[],
    async connect() {
      const other = new Client({ connectionString: service });
      await other.connect();
      return other;
    },
    async start(nats_url = nats.url) {
      const replica = await startReplica(service, nats_url);
      running.push(replica);
      return replica;
    },
    async fork() {
      const child = fork('dist/libs/feeds/test/replica.js', [service, nats.url], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      running.push({ stop: () => end(child) });
      await once(child, 'message');
      return child;
    },
    async insert(count, { note = 'fine', recorded_at, on = client } = {}) {
      const ids = Array.from({ length: count }, () => uuidv7());
      await on.query(
        `INSERT INTO ${SCHEMA}.things (project_id, id, device_id, note, recorded_at)
         SELECT $1, id, 'd', $3, coalesce($4::timestamptz, now()) FROM unnest($2::uuid[]) AS id`,
        [project_id, ids, note, recorded_at],
      );
      return ids;
    },
    publishedIds: async () => idsOf(await published()),
    deadIds: async () =>
      idsOf(
        await messages(deadLetterStream(CONSUMER), ({ data }) => ({ entries: decodeFrame<FeedHead>(data) })),
      ),
    async stray() {
      outside.nats.publish(feedSubject('event'), 'hello');
      await outside.nats.flush();
    },
    async stop() {
      await Promise.all(running.map((one) => one.stop()));
      await client.end();
      await outside.close();
      await nats.stop();
    },
  };
}

type Stored = NonNullable<Awaited<ReturnType<JetStreamManager['streams']['getMessage']>>>;

/** kill -9. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
