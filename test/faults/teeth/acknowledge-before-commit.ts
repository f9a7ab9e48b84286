import { setTimeout as pause } from 'node:timers/promises';
import { Database } from '#database';
import { type DataSource } from 'typeorm';

/** How long a commit may take on a slow disk. */
const COMMIT_MS = 20;

/** Broken on purpose: says that it is done, then commits. */
Database.prototype.transaction = function (work) {
  const { source } = this as unknown as { source: DataSource };
  return new Promise((resolve, reject) => {
    source
      .transaction(async (manager) => {
        resolve(await work(manager));
        await pause(COMMIT_MS);
      })
      .catch(reject);
  });
};
