/** The run queue: one run at a time, in order, each in a trainer process of its own. What it tells is stored before it is shown. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { scoresSchema, type LogLine, type Run } from '../contract/entities.js';
import { StudioError, type ErrorCode } from '../contract/errors.js';
import { deviceIdSchema, type DeviceId } from '../contract/plan.js';
import { problemOf } from '../contract/problem-of.js';
import { datasets, metrics, models, records, runs } from '../storage/index.js';
import type { ResultOf, TrainerEvent, TrainTask } from '../trainer/protocol.js';
import { baseFolderOf } from './bases.js';
import { compositionOf } from './compositions.js';
import { changed, now, runFolder, type Context } from './context.js';
import { materialize } from './datasets.js';
import { MemoryGate } from './memory.js';
import { learnedObjective } from './objective.js';
import { refinementOf } from './refinements.js';
import { TrainerClient, type RunningJob } from './trainer-client.js';

interface Active {
  readonly runId: number;
  /** As it was when its turn came; null before. */
  run: Run | null;
  job: RunningJob<'train'> | null;
  client: TrainerClient | null;
  /** What the user asked for before or while the job runs. */
  wish: 'pause' | 'cancel' | null;
  secondsLeft: number | null;
  /** Lets devices be tested again. */
  allowTests: () => void;
}

/** Failures after which a run goes on from its last checkpoint: nothing about the run itself needs mending. */
const goesOn: ReadonlySet<ErrorCode> = new Set(['trainer-lost', 'no-space'] as const);

export class RunQueue {
  #active: Active | null = null;
  #closing = false;
  /** Runs that this process is to train, in order. Another process on the same folder has a queue of its own. */
  readonly #waiting: number[] = [];
  #working: Promise<void> | null = null;
  /** Ends of runs that could not be written yet. */
  readonly #unwritten = new Map<number, runs.RunChange>();
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

  /** Takes up what another process left waiting. */
  async adopt(runIds: readonly number[]): Promise<void> {
    const { database, presence } = this.context;
    for (const id of runIds) if (await runs.assignQueued(database, id, presence.id)) this.take([id]);
  }

  /** The run with what only this process knows. */
  decorate(run: Run): Run {
    const known = { ...run, ...this.#unwritten.get(run.id) };
    return this.#active?.runId === run.id ? { ...known, secondsLeft: this.#active.secondsLeft } : known;
  }

  isActive(runId: number): boolean {
    return this.#active?.runId === runId;
  }

  /** Asks the active run to stop; it ends as paused or cancelled when the trainer has answered. */
  ask(runId: number, wish: 'pause' | 'cancel'): void {
    const active = this.#active;
    if (active?.runId !== runId) return;
    active.wish = wish;
    // It may wait for a device to be tested: nothing to wait for any more.
    if (!active.job) this.context.devices.stop();
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
        this.#active = {
          runId,
          run: null,
          job: null,
          client: null,
          wish: null,
          secondsLeft: null,
          allowTests: () => undefined,
        };
        try {
          await this.#train(this.#active);
        } finally {
          this.#active.client?.close();
          this.#active.allowTests();
          this.#active = null;
        }
      }
    } finally {
      // In the same breath as the last look at the queue: what comes next starts anew.
      this.#working = null;
    }
  }

  async #train(active: Active): Promise<void> {
    const { database, presence } = this.context;
    const { runId } = active;
    try {
      // It may have been cancelled, paused or deleted while it waited.
      if (!(await runs.claimQueued(database, runId, presence.id)))
        return void (await this.#tell(runId).catch(() => undefined));
      const before = await runs.getRun(database, runId);
      active.run = before;
      await this.change(runId, {
        state: 'preparing',
        startedAt: before.startedAt ?? now(),
        endedAt: null,
        problem: null,
      });
      const { device, why } = await this.context.devices.resolve(before.plan.device, begunOn(before));
      await this.#log(runId, 'check', why);
      const task = await taskOf(this.context, before, device, await runs.initFolderOf(database, runId));
      active.allowTests = await this.context.devices.holdOff();
      // What has run before fits; a run cut off at its first steps may be one that did not.
      if (before.step === 0) await this.#requireMemory(active, task, before.modelId);
      const client = new TrainerClient(this.context.spawnTrainer);
      active.client = client;
      // Events are stored in order; the end waits for them.
      let stored: Promise<void> = Promise.resolve();
      let storedEvents = 0;
      const onEvent = (event: TrainerEvent) => {
        stored = stored
          .then(async () => {
            await this.#take(active, event);
            // After a gap nothing counts as stored: checkpoints then carry the rest, for the resumed run to tell again.
            if (event.type === 'metrics' && failure === undefined) active.job?.stored(++storedEvents);
          })
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
      const done = await active.job.result
        .finally(() => {
          active.allowTests();
          return stored;
        })
        .catch((error: unknown) => {
          // The job was cancelled because what it told could not be stored: that is the reason.
          throw failure ?? error;
        });
      if (failure !== undefined) throw failure;
      await this.#finish(runId, done);
    } catch (error) {
      await this.#fail(active, error);
    }
    changed(this.context, 'runs');
    changed(this.context, 'projects');
  }

  async #requireMemory(active: Active, task: TrainTask, modelId: number): Promise<void> {
    const line = await this.#memory.check(task, await models.getModel(this.context.database, modelId));
    const { runId } = active;
    if (active.wish === 'cancel') throw new StudioError('cancelled', 'Cancelled.');
    if (line === null) return;
    await this.#log(runId, 'probe', line);
  }

  async #log(runId: number, level: LogLine['level'], message: string): Promise<void> {
    const log = [{ time: now(), level, message }];
    await metrics.insertMetrics(this.context.database, runId, [], [], log);
    this.context.emit('metrics', { runId, steps: [], validations: [], stages: [], log });
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
        const { steps, validations, stages, log } = event;
        await database.transaction(async (sql) => {
          await metrics.insertMetrics(sql, runId, steps, validations, log, stages);
          const validation = validations.findLast(({ best }) => best);
          await runs.updateRun(sql, runId, {
            step: steps.at(-1)?.step,
            validation: validation && scoresSchema.parse(validation),
          });
        });
        active.secondsLeft = event.secondsLeft;
        this.context.emit('metrics', { runId, steps, validations, stages, log });
        this.context.emit('run', this.decorate(await runs.getRun(database, runId)));
        return;
      }
      case 'predictions':
        await database.transaction((sql) => metrics.insertPredictions(sql, runId, event.rows));
        return;
      case 'losses':
        await database.transaction((sql) => metrics.insertLosses(sql, runId, event.rows));
        return;
      case 'phase':
      case 'progress':
      case 'answers':
        return;
    }
  }

  async #finish(runId: number, { status, step, result }: ResultOf<'train'>): Promise<void> {
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
    // The trained parameters have a file of their own now; a run that is finished stays so, whatever becomes of the rest.
    const tidy = async () => {
      await rm(join(runFolder(this.context.home, runId), 'checkpoints'), { recursive: true, force: true });
      await metrics.replaceCheckpoints(this.context.database, runId, []);
    };
    await tidy().catch(() => this.context.unwritten.add(tidy));
  }

  async #fail(active: Active, error: unknown): Promise<void> {
    const problem = problemOf(error);
    if (problem.code === 'cancelled' || active.wish === 'cancel')
      return this.#end(active, { state: 'cancelled', endedAt: now(), problem: null });
    const hint =
      problem.code === 'no-space'
        ? 'Free some space, then resume the run: it goes on from its last checkpoint.'
        : problem.hint;
    await this.#end(active, {
      state: goesOn.has(problem.code) ? 'interrupted' : 'failed',
      endedAt: now(),
      problem: { ...problem, hint },
    });
  }

  /** The end of a run is told even where the disk has no room for it: it is then written as soon as there is. */
  async #end({ runId, run }: Active, end: runs.RunChange): Promise<void> {
    const { database } = this.context;
    const time = now();
    const write = async () => {
      await this.#noteCheckpoints(runId);
      await database.transaction(async (sql) => {
        if (end.problem)
          await metrics.insertMetrics(sql, runId, [], [], [{ time, level: 'error', message: end.problem.message }]);
        await runs.updateRun(sql, runId, end);
      });
      this.#unwritten.delete(runId);
    };
    await write().catch(() => {
      this.#unwritten.set(runId, end);
      this.context.unwritten.add(write);
    });
    const known = await runs.getRun(database, runId).catch(() => run);
    if (known) this.context.emit('run', { ...known, ...end });
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
    return this.#tell(runId);
  }

  async #tell(runId: number): Promise<Run> {
    const run = this.decorate(await runs.getRun(this.context.database, runId));
    this.context.emit('run', run);
    return run;
  }
}

/** The device of a run's first steps: another would give other numbers. Null before those. */
function begunOn({ step, device }: Run): DeviceId | null {
  return step > 0 ? (deviceIdSchema.safeParse(device).data ?? null) : null;
}

/** A run's plan with names resolved, as the trainer takes it. */
export async function taskOf(
  context: Context,
  run: Pick<Run, 'modelId' | 'datasetId' | 'plan'>,
  device: DeviceId,
  initFolder: string | null,
): Promise<TrainTask> {
  const dataset = await datasets.getDataset(context.database, run.datasetId);
  const files = await materialize(context, dataset);
  const settings = await records.readSettings(context.database);
  return {
    training: run.plan.training,
    method: run.plan.method,
    modelFolder: await baseFolderOf(context, run),
    objective: learnedObjective(run.plan, dataset),
    device,
    threads: settings.threads,
    initFolder,
    ...(await compositionOf(context, run.plan)),
    ...(await refinementOf(context, run.plan)),
    data: { train: files.train ?? '', validation: files.validation, test: files.test },
  };
}
