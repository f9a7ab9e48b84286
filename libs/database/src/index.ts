export * from './content-hash.js';
export * from './cursor.js';
export * from './data-source.js';
export * from './database.js';
export * from './database.module.js';
export * from './failures.js';
export * from './idempotency-keys.js';
export * from './monthly-partitions.js';
