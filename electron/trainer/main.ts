/**
 * The trainer process: started by the studio through Electron's utilityProcess or child_process.fork.
 * The jobs (and with them the engine and its native runtime) are loaded after the baseline of memory is taken.
 */
import { residentBytes } from './memory.js';
import { connectToHost } from './port.js';

// The runtime reads this once, when it is loaded: left alone, its builds for Linux and macOS report to their maker.
process.env['ORT_DISABLE_TELEMETRY'] = '1';
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
