import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { type EntityManager } from 'typeorm';
import { acrossProjects, Failure } from '#contracts';
import { Database } from '#database';
import { GatewayConfig } from '../gateway.config.js';

const LEASE_MS = 3_000;
const RENEW_MS = 1_000;
const CHANNEL = 'auth_revision';

/**
 * Makes "refused on the very next request, on every gateway" true without asking the database on each request.
 *
 * A gateway may answer from memory only while it holds a lease, a row that says up to which revision it has let
 * go of changed keys. Whoever takes rights away counts the revision up and then waits until every gateway with
 * a live lease has seen that revision, or has lost its lease. A gateway cut off from the database therefore stops
 * trusting its memory by itself, and a change takes at most the length of a lease. Only the database's clock
 * counts; a gateway's own trust ends earlier, as it starts counting before the database does.
 */
@Injectable()
export class Revisions implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Revisions.name);
  private readonly id = randomUUID();
  private readonly listeners: ((key_ids: string[]) => void)[] = [];
  private seen = '0';
  private trustedUntil = 0;
  private timer?: NodeJS.Timeout;
  private renewing?: Promise<void>;
  private notifications?: Client;
  private stopped = false;

  constructor(
    private readonly database: Database,
    private readonly config: GatewayConfig,
  ) {}

  /** Whether what was read before may still be believed. */
  get isTrusted(): boolean {
    return performance.now() < this.trustedUntil;
  }

  /** Runs `listener` with the keys whose rights have changed. */
  onChange(listener: (key_ids: string[]) => void): void {
    this.listeners.push(listener);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.database.rows(`DELETE FROM auth.gateways WHERE lease_until < now() - interval '1 day'`);
    await this.renew();
    this.timer = setInterval(() => void this.renew(), RENEW_MS);
    await this.listen();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.renewing;
    await this.notifications?.end().catch(() => undefined);
    await this.database.rows('DELETE FROM auth.gateways WHERE id = $1', [this.id]).catch(() => undefined);
  }

  /**
   * The next revision, to stand on every key whose rights shrink or move in this transaction. Take it first:
   * its lock makes revisions commit in order.
   */
  async next(manager: EntityManager): Promise<string> {
    const [row] = await manager.query<[{ value: string }]>(
      'WITH next AS (UPDATE auth.revision SET value = value + 1 RETURNING value) SELECT value FROM next',
    );
    await manager.query('SELECT pg_notify($1, $2)', [CHANNEL, row.value]);
    return row.value;
  }

  /** After the commit: resolves once no gateway believes anything older than this revision. */
  async settle(revision: string): Promise<void> {
    await this.renew();
    const deadline = performance.now() + 2 * LEASE_MS;
    while (performance.now() < deadline) {
      const behind = await this.database.rows(
        'SELECT FROM auth.gateways WHERE seen < $1 AND lease_until > now() LIMIT 1',
        [revision],
      );
      if (behind.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Failure('unavailable', 'The change is made, but not yet known everywhere');
  }

  /** Lets go of what has changed, then says so; extends the lease. */
  private renew(): Promise<void> {
    this.renewing = (this.renewing ?? Promise.resolve()).then(async () => {
      try {
        // Whose keys have changed is every gateway's business, whoever asks.
        while (await acrossProjects(() => this.renewOnce()));
      } catch (error) {
        if (!(error instanceof Failure)) this.logger.error(error);
      }
    });
    return this.renewing;
  }

  /** @returns whether something had changed, so that the lease still has to say that it was seen */
  private async renewOnce(): Promise<boolean> {
    const askedAt = performance.now();
    const [row] = await this.database.prepared<{ value: string; changed: string[] }>(
      'renew-lease',
      `WITH lease AS (
         INSERT INTO auth.gateways (id, seen, lease_until) VALUES ($1, $2, now() + $3 * interval '1 ms')
         ON CONFLICT (id) DO UPDATE SET seen = EXCLUDED.seen, lease_until = EXCLUDED.lease_until
       )
       SELECT value, ARRAY(SELECT id FROM auth.keys WHERE revision > $2) AS changed FROM auth.revision`,
      [this.id, this.seen, LEASE_MS],
    );
    const { value, changed } = row!;
    const isNew = value !== this.seen;
    if (isNew) for (const listener of this.listeners) listener(changed);
    this.seen = value;
    this.trustedUntil = askedAt + LEASE_MS;
    return isNew;
  }

  /** Notifications only make it quick: without them the next renewal finds the change. */
  private async listen(): Promise<void> {
    if (this.stopped) return;
    const client = new Client({ connectionString: this.config.DATABASE_URL, keepAlive: true });
    const again = (): void => {
      client.removeAllListeners();
      client.on('error', () => undefined);
      client.end().catch(() => undefined);
      if (!this.stopped) setTimeout(() => void this.listen(), RENEW_MS);
    };
    try {
      client.once('error', again);
      await client.connect();
      client.on('notification', () => void this.renew());
      await client.query(`LISTEN ${CHANNEL}`);
      this.notifications = client;
    } catch {
      again();
    }
  }
}
