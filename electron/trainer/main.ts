/**
 * The trainer process: started by the studio through Electron's utilityProcess or child_process.fork.
 * The jobs (and with them the engine and its native runtime) are loaded after the baseline of memory is taken.
 */
import { residentBytes } from './memory.js';
import { connectToHost } from './port.js';

const baselineMemoryBytes = residentBytes();
const port = connectToHost();

import('./jobs.js').then(
  ({ startJobs }) => startJobs(port, baselineMemoryBytes),
  (error: unknown) => {
    // Without its jobs the process is of no use; the studio shows the last lines of stderr.
    console.error(error);
    process.exit(1);
  },
);
