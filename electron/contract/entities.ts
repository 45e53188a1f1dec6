/** What the window, the command and the studio talk about. Times are ISO 8601 in UTC; sizes are bytes; rates are per second. */
export { splitNames, splitNameSchema, type SplitName } from './entities/common.js';
export * from './entities/projects.js';
export * from './entities/datasets.js';
export * from './entities/generation.js';
export * from './entities/scores.js';
export * from './entities/runs.js';
export * from './entities/methods.js';
export * from './entities/results.js';
export * from './entities/rounds.js';
export * from './entities/machine.js';
export * from './entities/chat.js';
export * from './entities/studies.js';
export * from './entities/advice.js';
