/** Projects as files. */
export { exportProject } from './export.js';
export { importProject } from './import.js';
