import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { type EntityManager } from 'typeorm';
import { Failure } from '#contracts';
import { BoundedClient, Database, databaseFailure, EVERY_PROJECT } from '#database';
import { GatewayConfig } from '../gateway.config.js';

const LEASE_MS = 3_000;
const RENEW_MS = 1_000;
const CONNECT_MS = 2_000;
/** By how much the clocks of two machines may disagree about the length of a lease. */
const CLOCKS_MS = 100;
const CHANNEL = 'auth_revision';

const RENEW_LEASE = `
  INSERT INTO auth.gateways (id, seen, lease_until, follows_projects)
  VALUES ($1, $2, now() + $3 * interval '1 ms', true)
  ON CONFLICT (id) DO UPDATE SET seen = EXCLUDED.seen, lease_until = EXCLUDED.lease_until`;

/** Names nothing where nothing was seen before. */
const CHANGED = `
  SELECT value, ARRAY(SELECT id FROM auth.keys WHERE revision > $1) AS key_ids,
    ARRAY(SELECT id FROM auth.projects WHERE revision > $1) AS project_ids
  FROM auth.revision`;

/** Keys whose rights have changed, and projects none of whose keys is good any more. */
export interface ChangedRights {
  key_ids: Set<string>;
  project_ids: Set<string>;
}

/**
 * Makes "refused on the very next request, on every gateway" true without asking the database on each request.
 *
 * A gateway may answer from memory only while it holds a lease, a row that says up to which revision it has let
 * go of changed keys. Whoever takes rights away counts the revision up and then waits until every gateway with
 * a live lease has seen that revision, or has lost its lease. A gateway cut off from the database therefore stops
 * trusting its memory by itself, and a change takes at most the length of a lease.
 */
@Injectable()
export class Revisions implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Revisions.name);
  private readonly id = randomUUID();
  private readonly listeners: ((changed?: ChangedRights) => void)[] = [];
  /** Undefined until the database behind the connection has been looked at. */
  private seen?: string;
  /** What was seen last, behind whichever connection. */
  private seen_before?: string;
  private trustedUntil = 0;
  private timer?: NodeJS.Timeout;
  private renewing = Promise.resolve();
  private following?: Promise<void>;
  /** Of the lease alone: were it to wait behind requests, it would run out, and all of them would ask the database. */
  private connection?: BoundedClient;

  constructor(
    private readonly database: Database,
    private readonly config: GatewayConfig,
  ) {}

  /** Whether what was read before may still be believed. */
  get isTrusted(): boolean {
    return performance.now() < this.trustedUntil;
  }

  /**
   * Runs `listener` with whose rights have changed; without, when it may be anybody's besides, as behind a new
   * connection.
   */
  onChange(listener: (changed?: ChangedRights) => void): void {
    this.listeners.push(listener);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.database.rows(`DELETE FROM auth.gateways WHERE lease_until < now() - interval '1 day'`);
    await this.renew();
    this.timer = setInterval(() => void this.renew(), RENEW_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await (this.following ?? this.renewing);
    await this.disconnect();
    await this.database.rows('DELETE FROM auth.gateways WHERE id = $1', [this.id]).catch(() => undefined);
  }

  /**
   * The next revision, to stand on every key whose rights shrink or move in this transaction, and on a project that is
   * deleted in place of its keys. Take it first: its lock makes revisions commit in order.
   */
  async next(manager: EntityManager): Promise<string> {
    const [row] = await manager.query<[{ value: string }]>(
      'WITH next AS (UPDATE auth.revision SET value = value + 1 RETURNING value) SELECT value FROM next',
    );
    await manager.query('SELECT pg_notify($1, $2)', [CHANNEL, row.value]);
    return row.value;
  }

  /**
   * After the commit: resolves once no gateway believes anything older than this revision. Leases only make it quick:
   * whoever has not looked since the commit trusts nothing any more when their length is over.
   */
  async settle(revision: string): Promise<void> {
    const end = performance.now() + LEASE_MS + CLOCKS_MS;
    await this.renew();
    while (performance.now() < end) {
      const behind = await this.database.rows(
        'SELECT FROM auth.gateways WHERE seen < $1 AND lease_until > now() LIMIT 1',
        [revision],
      );
      if (behind.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** A renewal that begins after this call: at most one is under way, and one behind it for all who ask meanwhile. */
  private renew(): Promise<void> {
    this.following ??= this.renewing.then(() => {
      this.following = undefined;
      return (this.renewing = this.renewNow());
    });
    return this.following;
  }

  /** Extends the lease; lets go of what has changed, then says so. */
  private async renewNow(): Promise<void> {
    try {
      while (await this.renewOnce());
    } catch (error) {
      void this.disconnect();
      if (!(databaseFailure(error) instanceof Failure)) this.logger.error(error);
    }
  }

  /** @returns whether something had changed, so that the lease still has to say that it was seen */
  private async renewOnce(): Promise<boolean> {
    const connection = await this.connect();
    const askedAt = performance.now();
    await connection.query({
      name: 'renew-lease',
      text: RENEW_LEASE,
      values: [this.id, this.seen ?? '0', LEASE_MS],
    });
    // Only once the lease stands: a change that was not told to wait for it is made, and seen here.
    const { rows } = await connection.query<{ value: string; key_ids: string[]; project_ids: string[] }>({
      name: 'changed-rights',
      text: CHANGED,
      values: [this.seen_before],
    });
    const { value, key_ids, project_ids } = rows[0]!;
    const isNew = value !== this.seen;
    if (isNew) this.tell({ key_ids: new Set(key_ids), project_ids: new Set(project_ids) });
    // Behind a new connection may be a database that went back to an earlier time, which does not know what it forgot.
    if (this.seen === undefined) this.tell();
    this.seen = this.seen_before = value;
    this.trustedUntil = askedAt + LEASE_MS;
    return isNew;
  }

  private tell(changed?: ChangedRights): void {
    for (const listener of this.listeners) listener(changed);
  }

  /** Whose keys have changed is every gateway's business. */
  private async connect(): Promise<BoundedClient> {
    if (this.connection) return this.connection;
    const connection = new BoundedClient({
      connectionString: this.config.DATABASE_URL,
      application_name: 'gateway lease',
      connectionTimeoutMillis: CONNECT_MS,
      statement_timeout: LEASE_MS,
      options: EVERY_PROJECT,
      keepAlive: true,
    });
    this.connection = connection;
    this.seen = undefined;
    connection.on('error', () => {
      if (this.connection === connection) void this.disconnect();
    });
    // Notifications only make it quick: without them the next renewal finds the change.
    connection.on('notification', () => void this.renew());
    await connection.connect();
    await connection.query(`LISTEN ${CHANNEL}`);
    return connection;
  }

  private async disconnect(): Promise<void> {
    const { connection } = this;
    this.connection = undefined;
    await connection?.end().catch(() => undefined);
  }
}
