export * from './feed-batch.js';
export * from './feed-consumer.js';
export * from './feed-follower.js';
export * from './feed-reader.js';
export * from './feed-source.js';
export * from './feed-stream.js';
export * from './feed.module.js';
export * from './relay.js';
