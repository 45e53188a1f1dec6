/** Projects as files. */
export { exportProject } from './export.js';
export { importProject } from './import.js';
export { modelsByWeights } from './models.js';
