/** The trainer under Electron: a utility process, so that its crash or its end by the system leaves the app alone. */
import { utilityProcess } from 'electron';
import { LastWords } from '../studio/last-words.js';
import { trainerEnvironment, type SpawnTrainer } from '../studio/trainer-port.js';

/**
 * @param program the built trainer (dist/trainer.cjs)
 * @param output where goes what it prints on stdout: of a command to stderr, since stdout holds results
 */
export const spawnTrainerFrom =
  (program: string, { output = 'stdout' }: { readonly output?: 'stdout' | 'stderr' } = {}): SpawnTrainer =>
  (options = {}) => {
    const child = utilityProcess.fork(program, [], {
      serviceName: 'PEFT Studio trainer',
      env: trainerEnvironment(),
      stdio: options.quiet ? 'ignore' : 'pipe',
    });
    const last = new LastWords(child.stderr);
    child.stdout?.on('data', (chunk: Buffer) => process[output].write(chunk));
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
      onExit: (listener) => void child.on('exit', (code) => listener(code, last.text)),
      kill: () => {
        // Its own kill asks, and one that hangs in a driver may not hear.
        if (child.pid !== undefined && !ended) process.kill(child.pid, 'SIGKILL');
      },
    };
  };
