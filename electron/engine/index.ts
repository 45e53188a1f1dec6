/** The engine's only door. */
export * from './errors.js';
export * from './types.js';
export * from './safetensors/index.js';
