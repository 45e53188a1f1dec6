/** The command as a program of its own: signals, streams and the exit code, whether plain Node or the packaged app runs it. */
import { runCommandLine } from './cli.js';
import type { SpawnTrainer } from '../studio/trainer-port.js';

/**
 * Runs the words of a command line to their end, then calls `exit` with the code. Ctrl-C asks the command to save; a second one leaves.
 * @param exit ends the process
 */
export function runProgram(words: readonly string[], spawnTrainer: SpawnTrainer, exit: (code: number) => void): void {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // A second Ctrl-C does not wait for the checkpoint.
      if (interrupt.signal.aborted) return exit(130);
      process.stderr.write('\nSaving; press Ctrl-C again to leave at once.\n');
      interrupt.abort();
    });
  }
  // A reader that went away (`| head`) is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => exit(error.code === 'EPIPE' ? 0 : 1));

  const code = runCommandLine(words, {
    streams: {
      stdout: (text) => void process.stdout.write(text),
      stderr: (text) => void process.stderr.write(text),
      terminal: process.stderr.isTTY === true,
    },
    spawnTrainer,
    interrupted: interrupt.signal,
  });
  // Pipes are written asynchronously: exit by hand only once they are empty.
  void code.then((value) => process.stdout.write('', () => exit(value)));
}
