import { setTimeout as pause } from 'node:timers/promises';
import { Database } from '#database';
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
  return new Proxy(manager, {
    get(target, name) {
      if (name !== 'query') return Reflect.get(target, name) as unknown;
      return (sql: string, values?: unknown[]) =>
        (sql.includes('idempotency_keys') ? alone : target).query(sql, values);
    },
  });
}
