/** A real studio over a real trainer process, in a folder of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forkTrainerFrom } from '../../electron/cli/trainer-process.js';
import type { EventData, EventName, StudioEvent } from '../../electron/contract/calls.js';
import { importRequestSchema, type Job, type Run } from '../../electron/contract/entities.js';
import { StudioError } from '../../electron/contract/errors.js';
import { openStudio, type Studio, type StudioOptions } from '../../electron/studio/index.js';
import type { SpawnTrainer } from '../../electron/studio/trainer-port.js';
import { bundledTrainer } from './trainer-process.js';

export interface TestStudio extends Studio {
  readonly home: string;
  readonly events: readonly StudioEvent[];
  /** Process numbers of the trainers started so far. */
  readonly pids: readonly number[];
  /** Resolves with the next event of a kind that fits; events before the call count only with `past`. */
  waitFor<N extends EventName>(name: N, fits: (data: EventData<N>) => boolean): Promise<EventData<N>>;
  /** Waits for a job's end; rejects with its problem. */
  finished(job: { jobId: string }): Promise<Job>;
  /** The run when it neither waits nor works any more. */
  ended(id: number): Promise<Run>;
  /** Imports rows through a file; without more, of classes, with the columns text and topic. */
  importRows(projectId: number, name: string, rows: readonly object[], more?: object): Promise<void>;
  remove(): Promise<void>;
}

/** Devices are left untested unless `options` ask for it: most tests name theirs. `trainer`: the entry of another trainer program. */
export async function openTestStudio(
  home?: string,
  { trainer, ...options }: Pick<StudioOptions, 'checkDevices' | 'deviceTests'> & { readonly trainer?: string } = {},
): Promise<TestStudio> {
  const folder = home ?? (await mkdtemp(join(tmpdir(), 'studio-')));
  const program = await bundledTrainer(trainer);
  const events: StudioEvent[] = [];
  const listeners = new Set<(event: StudioEvent) => void>();
  const pids: number[] = [];
  const fork = forkTrainerFrom(program);
  const spawnTrainer: SpawnTrainer = (how) => {
    const trainer = fork(how);
    if (trainer.pid !== undefined) pids.push(trainer.pid);
    return trainer;
  };
  const studio = await openStudio({
    home: folder,
    spawnTrainer,
    emit: (event) => {
      events.push(event);
      for (const listener of listeners) listener(event);
    },
    checkDevices: false,
    ...options,
  });
  const waitFor: TestStudio['waitFor'] = (name, fits) =>
    new Promise((resolve) => {
      const listener = (event: StudioEvent) => {
        if (event.event !== name) return;
        const data = event.data as EventData<typeof name>;
        if (!fits(data)) return;
        listeners.delete(listener);
        resolve(data);
      };
      listeners.add(listener);
    });
  const finished: TestStudio['finished'] = async ({ jobId }) => {
    // Listens first: it may end while the list is told.
    const listening = waitFor('job', (data) => data.id === jobId && data.state !== 'running');
    const known = (await studio.handlers['jobs.list']({})).find((job) => job.id === jobId);
    const job = known && known.state !== 'running' ? known : await listening;
    if (job.problem) throw StudioError.fromProblem(job.problem);
    return job;
  };
  return {
    ...studio,
    home: folder,
    events,
    pids,
    waitFor,
    finished,
    ended: async (id) => {
      const over = ({ state }: Pick<Run, 'state'>) => !['queued', 'preparing', 'running'].includes(state);
      const listening = waitFor('run', (data) => data.id === id && over(data));
      const now = await studio.handlers['runs.get']({ id });
      return over(now) ? now : listening;
    },
    importRows: async (projectId, name, rows, more = { textColumn: 'text', labelColumn: 'topic' }) => {
      const path = join(folder, `${name}.jsonl`);
      await writeFile(path, rows.map((row) => JSON.stringify(row)).join('\n'));
      const request = importRequestSchema.parse({ projectId, name, path, validation: 0.2, test: 0.2, ...more });
      await finished(await studio.handlers['datasets.import'](request));
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
