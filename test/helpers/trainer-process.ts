/** The real trainer process, bundled as the app's build does it and forked, for tests that kill it. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundlePrograms } from './bundle.mjs';
import { StudioError } from '../../electron/contract/errors.js';
import {
  trainerMessageSchema,
  type HostMessage,
  type JobResult,
  type TrainerEvent,
  type TrainerJobInput,
  type TrainerMessage,
} from '../../electron/trainer/protocol.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const appEntry = 'electron/trainer/main.ts';
const bundles = new Map<string, Promise<string>>();

/** Bundles an entry once a test process; the file lies where node_modules can be resolved from. */
function bundled(entry: string): Promise<string> {
  const made = bundles.get(entry) ?? bundle(entry);
  bundles.set(entry, made);
  return made;
}

async function bundle(entry: string): Promise<string> {
  const folder = join(root, 'node_modules', '.cache', `trainer-${process.pid}`);
  await mkdir(folder, { recursive: true });
  const name = String(bundles.size);
  await bundlePrograms({ [name]: entry }, folder);
  return join(folder, `${name}.cjs`);
}

/** The built trainer program (or another entry that serves the same protocol), for whoever forks it by itself. */
export const bundledTrainer = (entry = appEntry): Promise<string> => bundled(entry);

/** Removes this test process's bundles. */
export async function removeBundles(): Promise<void> {
  bundles.clear();
  await rm(join(root, 'node_modules', '.cache', `trainer-${process.pid}`), { recursive: true, force: true });
}

export class TrainerProcess {
  readonly messages: TrainerMessage[] = [];
  private readonly listeners = new Set<(message: TrainerMessage) => void>();
  private jobs = 0;

  private constructor(readonly child: ChildProcess) {
    child.on('message', (raw) => {
      const message = trainerMessageSchema.parse(raw);
      this.messages.push(message);
      for (const listener of this.listeners) listener(message);
    });
  }

  /** Forks the trainer (or another entry that serves the same protocol) and waits until it is ready. */
  static async start(entry = appEntry): Promise<TrainerProcess> {
    const started = new TrainerProcess(
      fork(await bundled(entry), [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
    );
    await started.waitFor((message) => message.kind === 'ready');
    return started;
  }

  send(message: HostMessage): void {
    this.child.send(message);
  }

  /** Resolves with the first message, past or to come, that passes; rejects if the process ends before. */
  waitFor(test: (message: TrainerMessage) => boolean): Promise<TrainerMessage> {
    return new Promise((resolve, reject) => {
      const found = this.messages.find(test);
      if (found !== undefined) return resolve(found);
      const exit = (code: number | null, signal: string | null) =>
        finish(() => reject(new Error(`The trainer ended (${code ?? signal}).`)));
      const listener = (message: TrainerMessage) => {
        if (test(message)) finish(() => resolve(message));
      };
      const finish = (settle: () => void) => {
        this.listeners.delete(listener);
        this.child.off('exit', exit);
        settle();
      };
      this.listeners.add(listener);
      this.child.once('exit', exit);
    });
  }

  /** Sends a job; its events go to `onEvent`. @throws StudioError of the problem it failed with; Error if the process ended */
  async run(
    job: TrainerJobInput,
    onEvent: (event: TrainerEvent, id: string) => void = () => undefined,
  ): Promise<JobResult> {
    const id = `job-${(this.jobs += 1)}`;
    const listener = (message: TrainerMessage) => {
      if (message.kind === 'event' && message.id === id) onEvent(message.event, id);
    };
    this.listeners.add(listener);
    try {
      this.send({ kind: 'job', id, job });
      const end = await this.waitFor(
        (message) => (message.kind === 'done' || message.kind === 'failed') && message.id === id,
      );
      if (end.kind === 'failed') throw StudioError.fromProblem(end.problem);
      if (end.kind === 'done') return end.result;
      throw new Error(`Unexpected ${end.kind}.`);
    } finally {
      this.listeners.delete(listener);
    }
  }

  /** Ends the process at once, as kill -9 does, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
