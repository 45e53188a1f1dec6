/** Entry of the command, built to dist/cli.cjs. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from './cli.js';
import { forkTrainerFrom } from './trainer-process.js';

const dist = path.dirname(fileURLToPath(import.meta.url));
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A second Ctrl-C does not wait for the checkpoint.
    if (interrupt.signal.aborted) process.exit(130);
    process.stderr.write('\nSaving; press Ctrl-C again to leave at once.\n');
    interrupt.abort();
  });
}
// A reader that went away (`| head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const code = runCommandLine(process.argv.slice(2), {
  streams: {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    terminal: process.stderr.isTTY === true,
  },
  spawnTrainer: forkTrainerFrom(path.join(dist, 'trainer.cjs')),
  interrupted: interrupt.signal,
});
// Pipes are written asynchronously: exit by hand only once they are empty.
void code.then((value) => process.stdout.write('', () => process.exit(value)));
