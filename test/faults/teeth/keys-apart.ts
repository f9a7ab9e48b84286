import { setTimeout as pause } from 'node:timers/promises';
import { Database } from '#database';
import { type Client, type QueryConfig } from 'pg';
import { type DataSource, type EntityManager } from 'typeorm';

/** How long an effect may take after its key. */
const EFFECT_MS = 20;

/** Broken on purpose: idempotency keys are committed by themselves, before the effect that they stand for. */
Database.prototype.transaction = function (work) {
  const { source } = this as unknown as { source: DataSource };
  return source.transaction(async (manager) => {
    const result = await work(apart(manager, source.manager));
    await pause(EFFECT_MS);
    return result;
  });
};

function apart(manager: EntityManager, alone: EntityManager): EntityManager {
  return instead(manager, {
    query: (sql: string, values?: unknown[]) => (isOfKeys(sql) ? alone : manager).query(sql, values),
    queryRunner: instead(manager.queryRunner!, {
      connect: async () => {
        const client = (await manager.queryRunner!.connect()) as Client;
        return instead(client, {
          query: async (config: QueryConfig) =>
            isOfKeys(config.text)
              ? { rows: await alone.query<unknown[]>(config.text, config.values) }
              : client.query(config),
        });
      },
    }),
  });
}

function isOfKeys(sql: string): boolean {
  return sql.includes('idempotency_keys');
}

/** The same object, but for some of what it has. */
function instead<T extends object>(whole: T, parts: Record<string, unknown>): T {
  return new Proxy(whole, {
    get: (target, name) => (name in parts ? parts[name as string] : Reflect.get(target, name)),
  });
}
