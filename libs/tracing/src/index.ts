export * from './requests-served.js';
export * from './span-export.js';
export * from './spans.js';
export * from './traceparent.js';
