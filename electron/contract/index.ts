export * from './plan.js';
export * from './verbalizer.js';
export * from './errors.js';
export * from './entities.js';
export * from './calls.js';
export * from './setting.js';
export * from './problem-of.js';
