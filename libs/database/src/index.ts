export * from './content-hash.js';
export * from './cursor.js';
export * from './data-source.js';
export * from './database.js';
export * from './database.module.js';
export * from './failures.js';
export * from './frame-keys.js';
export {
  claimKeys,
  claimWrites,
  IdempotencyKey,
  idempotencyKeysTable,
  keepAnswers,
  releaseKeys,
} from './idempotency-keys.js';
export type { Claim, Claimed, KeyName, Write } from './idempotency-keys.js';
export * from './monthly-partitions.js';
export * from './partition-keeper.js';
export { EVERY_PROJECT } from './project-client.js';
export * from './project-wall.js';
