/** The trainer under Electron: a utility process, so that its crash or its end by the system leaves the app alone. */
import { utilityProcess } from 'electron';
import type { SpawnTrainer } from '../studio/trainer-port.js';

/**
 * @param program the built trainer (dist/trainer.cjs)
 * @param output where goes what it prints: of a command all to stderr, since stdout holds results
 */
export const spawnTrainerFrom =
  (program: string, { output = 'inherit' }: { readonly output?: 'inherit' | 'stderr' } = {}): SpawnTrainer =>
  (options = {}) => {
    const child = utilityProcess.fork(program, [], {
      serviceName: 'PEFT Studio trainer',
      stdio: options.quiet ? 'ignore' : output === 'inherit' ? 'inherit' : 'pipe',
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => process.stderr.write(chunk));
    let ended = false;
    child.on('exit', () => {
      ended = true;
    });
    return {
      get pid() {
        return child.pid;
      },
      postMessage: (message) => {
        if (!ended) child.postMessage(message);
      },
      onMessage: (listener) => void child.on('message', listener),
      onExit: (listener) => void child.on('exit', listener),
      kill: () => {
        // Its own kill asks, and one that hangs in a driver may not hear.
        if (child.pid !== undefined && !ended) process.kill(child.pid, 'SIGKILL');
      },
    };
  };
