export * from './base-backup.js';
export * from './if-missing.js';
export * from './nats.js';
export * from './nats-users.js';
export * from './ports.js';
export * from './postgres.js';
export * from './schemas.js';
export * from './server-process.js';
