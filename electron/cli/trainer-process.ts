/** The trainer without a window: a child process with a channel of its own. */
import { fork } from 'node:child_process';
import { LastWords } from '../studio/last-words.js';
import { trainerEnvironment, type SpawnTrainer } from '../studio/trainer-port.js';

/** @param program the built trainer (dist/trainer.cjs) */
export const forkTrainerFrom =
  (program: string): SpawnTrainer =>
  (options = {}) => {
    const child = fork(program, [], {
      env: trainerEnvironment(),
      // What the trainer and its native parts print must not mix with JSON lines on stdout.
      stdio: options.quiet ? ['ignore', 'ignore', 'ignore', 'ipc'] : ['ignore', 2, 'pipe', 'ipc'],
      // Ctrl-C reaches a whole process group; the trainer must live on to save. It ends by itself when its host is gone.
      detached: process.platform !== 'win32',
    });
    const last = new LastWords(child.stderr);
    // One that hangs in a driver never hears that its host is gone.
    const end = () => void child.kill('SIGKILL');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    return {
      get pid() {
        return child.pid;
      },
      postMessage: (message) => {
        // A process that has just ended makes send fail; its exit tells the same.
        if (child.connected) child.send(message as import('node:child_process').Serializable, () => undefined);
      },
      onMessage: (listener) => void child.on('message', listener),
      onExit: (listener) => {
        let told = false;
        const tell = (code: number | null) => {
          if (!told) listener(code, last.text);
          told = true;
        };
        // Not before all that it printed has been read.
        child.on('close', tell);
        // A program that cannot be started gives an error and no exit.
        child.on('error', () => !child.pid && tell(null));
      },
      kill: () => void child.kill('SIGKILL'),
    };
  };
