/** The run queue: one run at a time, in order, each in a trainer process of its own. What it tells is stored before it is shown. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { problemOf } from '../contract/problem-of.js';
import { datasets, metrics, models, records, runs } from '../storage/index.js';
import type { ResultOf, TrainerEvent, TrainTask } from '../trainer/protocol.js';
import { changed, now, runFolder, type Context } from './context.js';
import { materialize } from './datasets.js';
import { resolveDevice } from './devices.js';
import { MemoryGate } from './memory.js';
import { TrainerClient, type RunningJob } from './trainer-client.js';

interface Active {
  readonly runId: number;
  job: RunningJob<'train'> | null;
  client: TrainerClient | null;
  /** What the user asked for before or while the job runs. */
  wish: 'pause' | 'cancel' | null;
  secondsLeft: number | null;
}

export class RunQueue {
  #active: Active | null = null;
  #closing = false;
  /** Runs that this process is to train, in order. Another process on the same folder has a queue of its own. */
  readonly #waiting: number[] = [];
  #working: Promise<void> | null = null;
  readonly #memory: MemoryGate;

  constructor(private readonly context: Context) {
    this.#memory = new MemoryGate(context);
  }

  /** Trains these runs after those that wait already. */
  take(runIds: readonly number[]): void {
    this.#waiting.push(...runIds.filter((id) => !this.#waiting.includes(id)));
    if (this.#closing || this.#waiting.length === 0) return;
    this.#working ??= this.#work().catch((error: unknown) => console.error(error));
  }

  /** The run with what only this process knows. */
  decorate(run: Run): Run {
    return this.#active?.runId === run.id ? { ...run, secondsLeft: this.#active.secondsLeft } : run;
  }

  isActive(runId: number): boolean {
    return this.#active?.runId === runId;
  }

  /** Asks the active run to stop; it ends as paused or cancelled when the trainer has answered. */
  ask(runId: number, wish: 'pause' | 'cancel'): void {
    const active = this.#active;
    if (active?.runId !== runId) return;
    active.wish = wish;
    if (wish === 'pause') active.job?.pause();
    else active.job?.cancel();
  }

  /** Lets the active run save and stop. Waiting runs stay in the queue for the next start. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#active) this.ask(this.#active.runId, 'pause');
    await this.#working;
  }

  async #work(): Promise<void> {
    try {
      for (let runId = this.#waiting.shift(); runId !== undefined && !this.#closing; runId = this.#waiting.shift()) {
        // It may have been cancelled, paused or deleted while it waited.
        if (!(await runs.claimQueued(this.context.database, runId))) continue;
        this.#active = { runId, job: null, client: null, wish: null, secondsLeft: null };
        try {
          await this.#train(this.#active);
        } finally {
          this.#active.client?.close();
          this.#active = null;
        }
      }
    } finally {
      // In the same breath as the last look at the queue: what comes next starts anew.
      this.#working = null;
    }
  }

  async #train(active: Active): Promise<void> {
    const { database } = this.context;
    const { runId } = active;
    const before = await runs.getRun(database, runId);
    await this.change(runId, {
      state: 'preparing',
      startedAt: before.startedAt ?? now(),
      endedAt: null,
      problem: null,
    });
    try {
      const task = await taskOf(this.context, before, await runs.initFolderOf(database, runId));
      // What has run before fits; a run cut off at its first steps may be one that did not.
      if (before.step === 0) await this.#requireMemory(active, task, before.modelId);
      const client = new TrainerClient(this.context.spawnTrainer);
      active.client = client;
      // Events are stored in order; the end waits for them.
      let stored: Promise<void> = Promise.resolve();
      const onEvent = (event: TrainerEvent) => {
        stored = stored
          .then(() => this.#take(active, event))
          .catch((error: unknown) => {
            failure ??= error;
            active.job?.cancel();
          });
      };
      let failure: unknown;
      active.job = client.start<'train'>(
        {
          type: 'train',
          task,
          runFolder: runFolder(this.context.home, runId),
          resume: before.step > 0 || before.startedAt !== null,
        },
        onEvent,
      );
      if (active.wish) this.ask(runId, active.wish);
      const done = await active.job.result.finally(() => stored);
      if (failure !== undefined) throw failure;
      await this.#finish(runId, done);
    } catch (error) {
      await this.#fail(active, error);
    }
    changed(this.context, 'runs', before.projectId);
    changed(this.context, 'projects');
  }

  async #requireMemory(active: Active, task: TrainTask, modelId: number): Promise<void> {
    const line = await this.#memory.check(task, await models.getModel(this.context.database, modelId));
    const { runId } = active;
    if (active.wish === 'cancel') throw new StudioError('cancelled', 'Cancelled.');
    if (line === null) return;
    const log = [{ time: now(), level: 'probe' as const, message: line }];
    await metrics.insertMetrics(this.context.database, runId, [], [], log);
    this.context.emit('metrics', { runId, steps: [], validations: [], log });
  }

  async #take(active: Active, event: TrainerEvent): Promise<void> {
    const { database } = this.context;
    const { runId } = active;
    switch (event.type) {
      case 'started':
        await this.change(runId, {
          state: 'running',
          device: event.device,
          step: event.step,
          totalSteps: event.totalSteps,
        });
        return;
      case 'metrics': {
        const { steps, validations, log } = event;
        await database.transaction(async (sql) => {
          await metrics.insertMetrics(sql, runId, steps, validations, log);
          const validation = validations.findLast(({ best }) => best);
          await runs.updateRun(sql, runId, {
            step: steps.at(-1)?.step,
            validation: validation && {
              accuracy: validation.accuracy,
              macroF1: validation.macroF1,
              loss: validation.loss,
            },
          });
        });
        active.secondsLeft = event.secondsLeft;
        this.context.emit('metrics', { runId, steps, validations, log });
        this.context.emit('run', this.decorate(await runs.getRun(database, runId)));
        return;
      }
      case 'predictions':
        await database.transaction((sql) => metrics.insertPredictions(sql, runId, event.rows));
        return;
      case 'phase':
      case 'progress':
      case 'answers':
        return;
    }
  }

  async #finish(runId: number, { status, step, result }: ResultOf<'train'>): Promise<void> {
    const folder = join(runFolder(this.context.home, runId), 'checkpoints');
    if (status === 'paused') {
      await this.#noteCheckpoints(runId);
      await this.change(runId, { state: 'paused', step });
      return;
    }
    await this.change(runId, {
      state: 'finished',
      step,
      endedAt: now(),
      result,
      ...(result?.validation ? { validation: result.validation } : {}),
    });
    // The trained parameters have a file of their own now.
    await rm(folder, { recursive: true, force: true });
    await metrics.replaceCheckpoints(this.context.database, runId, []);
  }

  async #fail(active: Active, error: unknown): Promise<void> {
    const problem = problemOf(error);
    await this.#noteCheckpoints(active.runId);
    if (problem.code === 'cancelled' || active.wish === 'cancel') {
      await this.change(active.runId, { state: 'cancelled', endedAt: now(), problem: null });
      return;
    }
    await metrics.insertMetrics(
      this.context.database,
      active.runId,
      [],
      [],
      [{ time: now(), level: 'error', message: problem.message }],
    );
    // A lost process can go on from its last checkpoint; other failures need something mended first.
    await this.change(active.runId, {
      state: problem.code === 'trainer-lost' ? 'interrupted' : 'failed',
      endedAt: now(),
      problem,
    });
  }

  async #noteCheckpoints(runId: number): Promise<void> {
    const folder = join(runFolder(this.context.home, runId), 'checkpoints');
    const names = await readdir(folder).catch(() => []);
    const files = await Promise.all(
      names.map(async (file) => ({ file, bytes: (await stat(join(folder, file)).catch(() => ({ size: 0 }))).size })),
    );
    await this.context.database.transaction((sql) => metrics.replaceCheckpoints(sql, runId, files));
  }

  /** Stores a change and tells the window. */
  async change(runId: number, change: runs.RunChange): Promise<Run> {
    await runs.updateRun(this.context.database, runId, change);
    const run = this.decorate(await runs.getRun(this.context.database, runId));
    this.context.emit('run', run);
    return run;
  }
}

/** A run's plan with names resolved, as the trainer takes it. */
export async function taskOf(
  context: Context,
  run: Pick<Run, 'modelId' | 'datasetId' | 'plan'>,
  initFolder: string | null,
): Promise<TrainTask> {
  const model = await models.getModel(context.database, run.modelId);
  const dataset = await datasets.getDataset(context.database, run.datasetId);
  if (dataset.labels.length < 2)
    throw new StudioError(
      'bad-data',
      `The data set ${dataset.name} has one label only.`,
      'Import data with at least two labels.',
    );
  const files = await materialize(context, dataset);
  const settings = await records.readSettings(context.database);
  return {
    training: run.plan.training,
    method: run.plan.method,
    modelFolder: model.folder,
    labels: dataset.labels,
    device: await resolveDevice(context, run.plan.device),
    threads: settings.threads,
    initFolder,
    data: { train: files.train ?? '', validation: files.validation, test: files.test },
  };
}
