export * from './config.js';
export * from './health.controller.js';
export * from './lifecycle.js';
export * from './metrics.js';
export * from './private-listener.js';
export * from './public.js';
export * from './run-service.js';
export * from './service.module.js';
