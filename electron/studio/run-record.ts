/** What runs tell while they work and how they end, as the database and the window have it. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { scoresSchema, type LogLine, type Run } from '../contract/entities.js';
import type { ErrorCode } from '../contract/errors.js';
import { problemOf } from '../contract/problem-of.js';
import { metrics, runs } from '../storage/index.js';
import type { ResultOf, TrainerEvent } from '../trainer/protocol.js';
import { now, runFolder, type Context } from './context.js';
import { devicesAfter } from './device-parts.js';
import { sweepRun } from './files.js';
import { passing } from './unwritten.js';

/** A run that is worked on. */
export interface Worked {
  readonly runId: number;
  /** As it was when its turn came; null before. */
  run: Run | null;
  /** What the user asked for before or while the job runs. */
  wish: 'pause' | 'cancel' | null;
  secondsLeft: number | null;
}

/** Failures after which a run goes on from its last checkpoint: nothing about the run itself needs mending. */
const goesOn: ReadonlySet<ErrorCode> = new Set(['trainer-lost', ...passing] as const);
/** What a run that has taken steps met on its way: they worked before, so they may again. */
const metOnTheWay: ReadonlySet<ErrorCode> = new Set(['device-failed', 'out-of-memory'] as const);

const working: ReadonlySet<Run['state']> = new Set(['preparing', 'running'] as const);

export class RunRecord {
  /** Ends of runs that could not be written yet. */
  readonly #unwritten = new Map<number, runs.RunChange>();

  /** @param worked the run of that number, where it is worked on here */
  constructor(
    private readonly context: Pick<Context, 'database' | 'home' | 'emit' | 'presence' | 'unwritten'>,
    private readonly worked: (runId: number) => Worked | null,
  ) {}

  /** The run with what only this process knows. */
  decorate(run: Run): Run {
    const known = { ...run, ...this.#unwritten.get(run.id) };
    const worked = this.worked(run.id);
    // It is worked on until after its end has been told.
    return worked && working.has(known.state) ? { ...known, secondsLeft: worked.secondsLeft } : known;
  }

  /** A line of the run's log, stored and shown. */
  async log(runId: number, level: LogLine['level'], message: string): Promise<void> {
    const log = [{ time: now(), level, message }];
    await metrics.insertMetrics(this.context.database, runId, [], [], log);
    this.context.emit('metrics', { runId, steps: [], validations: [], stages: [], log });
  }

  /** What a trainer tells of a run, stored before it is shown. */
  async store(active: Worked, event: TrainerEvent): Promise<void> {
    const { database } = this.context;
    const { runId } = active;
    switch (event.type) {
      case 'started':
        await this.change(runId, {
          state: 'running',
          device: event.device,
          devices: devicesAfter(active.run, event),
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
      case 'outcomes':
        await database.transaction((sql) => metrics.insertOutcomes(sql, runId, event.rows));
        return;
      case 'phase': {
        if (event.phase !== 'testing') return;
        const told = active.secondsLeft;
        active.secondsLeft = event.secondsLeft ?? null;
        // A window shows whole seconds; what it shows already is not told again.
        if (seconds(told) !== seconds(active.secondsLeft))
          this.context.emit('run', this.decorate(await runs.getRun(database, runId)));
        return;
      }
      case 'progress':
      case 'answers':
        return;
    }
  }

  /** @throws StudioError 'no-access' where the data folder, and with it what the trainer kept, is gone */
  async finish(runId: number, { status, step, result }: ResultOf<'train'>): Promise<void> {
    if (status === 'paused') {
      await this.#noteCheckpoints(runId);
      await this.change(runId, { state: 'paused', step });
      return;
    }
    const gone = await this.context.presence.whyGone();
    if (gone) throw gone;
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

  /** How a run ended that did not finish. */
  async fail(active: Worked, error: unknown): Promise<void> {
    // Whatever else it says: without its folder nothing goes on.
    const problem = problemOf((await this.context.presence.whyGone()) ?? error);
    if (problem.code === 'cancelled' || active.wish === 'cancel')
      return this.#end(active, { state: 'cancelled', endedAt: now(), problem: null });
    const hint =
      problem.code === 'no-space'
        ? 'Free some space, then resume the run: it goes on from its last checkpoint.'
        : problem.hint;
    const resumable = goesOn.has(problem.code) || (metOnTheWay.has(problem.code) && (await this.#hasSteps(active)));
    await this.#end(active, {
      state: resumable ? 'interrupted' : 'failed',
      endedAt: now(),
      problem: {
        ...problem,
        hint,
        context: { ...problem.context, ...(resumable ? await this.#standing(active) : {}) },
      },
    });
  }

  async #hasSteps(active: Worked): Promise<boolean> {
    return ((await this.#known(active))?.step ?? 0) > 0;
  }

  /** From where the run can go on: the device that it was on, and the steps of its last checkpoint (0: from the start). */
  async #standing(active: Worked): Promise<{ device?: string; checkpoint: number }> {
    const device = (await this.#known(active))?.device ?? null;
    const names = await readdir(join(runFolder(this.context.home, active.runId), 'checkpoints')).catch(() => []);
    const steps = names.map((name) => Number(/^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? 0));
    return { ...(device === null ? {} : { device }), checkpoint: Math.max(0, ...steps) };
  }

  #known({ runId, run }: Worked): Promise<Run | null> {
    return runs.getRun(this.context.database, runId).catch(() => run);
  }

  /** The end of a run is told even where the disk has no room for it: it is then written as soon as there is. */
  async #end({ runId, run }: Worked, end: runs.RunChange): Promise<void> {
    const { database } = this.context;
    const time = now();
    const write = async () => {
      await this.#noteCheckpoints(runId);
      await database.transaction(async (sql) => {
        const lastWords = end.problem?.context['lastWords'];
        const log = [end.problem?.message, lastWords && `The trainer printed last: ${lastWords}`];
        const lines = log.flatMap((message) => (message ? [{ time, level: 'error' as const, message }] : []));
        if (lines.length > 0) await metrics.insertMetrics(sql, runId, [], [], lines);
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
    await sweepRun(this.context.home, runId);
    const names = await readdir(folder).catch(() => []);
    const files = await Promise.all(
      names.map(async (file) => ({ file, bytes: (await stat(join(folder, file)).catch(() => ({ size: 0 }))).size })),
    );
    await this.context.database.transaction((sql) => metrics.replaceCheckpoints(sql, runId, files));
  }

  /** Stores a change and tells the window. */
  async change(runId: number, change: runs.RunChange): Promise<Run> {
    await runs.updateRun(this.context.database, runId, change);
    return this.tell(runId);
  }

  async tell(runId: number): Promise<Run> {
    const run = this.decorate(await runs.getRun(this.context.database, runId));
    this.context.emit('run', run);
    return run;
  }
}

const seconds = (left: number | null) => (left === null ? null : Math.round(left));
