export * from './activity-events.js';
export * from './call.js';
export * from './device-state.js';
export * from './failure.js';
export * from './fields.js';
export * from './firmware.js';
export * from './moments.js';
export * from './validator.js';
