export * from './activity-events.js';
export * from './call.js';
export * from './decimals.js';
export * from './failure.js';
export * from './fields.js';
export * from './moments.js';
export * from './pricing.js';
export * from './validator.js';
