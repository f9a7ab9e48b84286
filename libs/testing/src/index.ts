export * from './busy-loop.js';
export * from './callers.js';
export * from './eventually.js';
export * from './link.js';
export * from './nats-sieve.js';
export * from './rows-read.js';
export * from './test-database.js';
export * from './test-nats.js';
