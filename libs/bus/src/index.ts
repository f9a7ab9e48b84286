export * from './bus-meters.js';
export * from './bus.js';
export * from './bus.module.js';
export * from './bus.server.js';
export * from './connection.js';
export * from './frame.js';
export * from './handles.js';
export * from './loop-delay.js';
