/** The storage layer's door: one module a table group, read-only records. */
export { Database, type Sql } from './database.js';
export { openDatabase, type OpenedDatabase } from './open.js';
export { Presence } from './presence.js';
export * as projects from './projects.js';
export * as models from './models.js';
export * as datasets from './datasets.js';
export * as runs from './runs.js';
export * as studies from './studies.js';
export * as metrics from './metrics.js';
export * as records from './records.js';
