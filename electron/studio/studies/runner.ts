/**
 * Carries studies out, one step after another: what is next is worked out anew from the runs that have ended, so a study that was
 * cut off at any moment goes on where it was. Its runs wait in the queue like any other.
 */
import type { Run, Study } from '../../contract/entities.js';
import { StudioError, type ErrorCode } from '../../contract/errors.js';
import { problemOf } from '../../contract/problem-of.js';
import { runs, studies } from '../../storage/index.js';
import { changed, now, type Context } from '../context.js';
import { requireSpace } from '../files.js';
import { namesOf } from '../plan.js';
import type { RunQueue } from '../queue.js';
import { diskBytes, resolvePlan } from '../runs.js';
import { passing } from '../unwritten.js';
import { askedOf } from './asked.js';
import { labelOf, sizeInWords } from './cells.js';
import { kindOf } from './kinds/index.js';
import type { Asked, Ended, Measured, Measurement, StudyStep } from './kinds/kind.js';
import { reportOf } from './report.js';
import { probeMethods, type Probed } from './probes.js';
import { secondsLeft } from './time-left.js';

const over: ReadonlySet<Run['state']> = new Set(['finished', 'failed', 'cancelled'] as const);
/** A run whose trainer or memory is lost so often in a row has failed. */
const mostLosses = 3;
const losing: ReadonlySet<ErrorCode | undefined> = new Set(['trainer-lost', 'out-of-memory'] as const);

interface Active {
  wish: 'pause' | 'cancel' | null;
  runId: number | null;
  /** Ends the measurement that is being taken. */
  abort: AbortController;
  done: Promise<void>;
}

/** Where a study stands. */
export interface Standing {
  readonly asked: Asked;
  readonly ended: Ended;
  readonly steps: readonly StudyStep[];
  /** Of runs that were made, by key: ended or not. */
  readonly made: ReadonlyMap<string, Run>;
  /** Of the runs that have ended. */
  readonly measurements: readonly Measurement[];
  readonly measured: Measured;
}

export class StudyRunner {
  readonly #active = new Map<number, Active>();
  /** Ends of studies that could not be written yet. */
  readonly #unwritten = new Map<number, studies.StudyChange>();
  #closing = false;

  constructor(
    private readonly context: Context,
    private readonly queue: RunQueue,
    private readonly version: string,
  ) {}

  /** The study with what only this process knows. */
  decorate(study: Study): Study {
    const {
      state = study.state,
      problem = study.problem,
      endedAt = study.endedAt,
    } = this.#unwritten.get(study.id) ?? {};
    return { ...study, state, problem, endedAt };
  }

  isActive(id: number): boolean {
    return this.#active.has(id);
  }

  /** Goes on with a study that stands as running. */
  take(id: number): void {
    if (this.#closing || this.#active.has(id)) return;
    const active: Active = { wish: null, runId: null, abort: new AbortController(), done: Promise.resolve() };
    this.#active.set(id, active);
    active.done = this.#work(id, active).catch((error: unknown) => {
      this.context.log.problem('studies', error);
      console.error(error);
    });
  }

  /** Asks a study under way to stop; its run is asked too. */
  async ask(id: number, wish: 'pause' | 'cancel'): Promise<void> {
    const active = this.#active.get(id);
    if (!active) return;
    active.wish = wish;
    active.abort.abort();
    if (active.runId !== null) await this.#stopRun(active.runId, wish);
  }

  /** Studies under way stay for the next start. The queue lets their runs save and stop. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const { abort } of this.#active.values()) abort.abort();
    await Promise.all([...this.#active.values()].map(({ done }) => done));
  }

  async standing(study: Pick<Study, 'id' | 'projectId' | 'plan'>): Promise<Standing> {
    const { database } = this.context;
    const asked = await askedOf(this.context, study.projectId, study.plan);
    const made = new Map<string, Run>();
    for (const { key, runId } of await studies.runsOfStudy(database, study.id))
      made.set(key, await runs.getRun(database, runId));
    const ended = new Map([...made].filter(([, run]) => over.has(run.state)));
    const kind = kindOf(asked.plan.kind);
    const measurements = kind.measurements?.(asked, ended) ?? [];
    const measured = await studies.measurementsOf(database, study.id);
    for (const { key, holds } of measurements) if (holds?.(measured.get(key)) === false) measured.delete(key);
    return {
      asked,
      ended,
      made,
      steps: kind.steps(asked, ended),
      measurements,
      measured,
    };
  }

  async #work(id: number, active: Active): Promise<void> {
    try {
      await this.#end(id, await this.#goOn(id, active));
    } catch (error) {
      const problem = problemOf(error);
      const state = this.#closing
        ? 'interrupted'
        : active.wish === 'cancel'
          ? 'cancelled'
          : active.wish === 'pause'
            ? 'paused'
            : passing.has(problem.code)
              ? 'interrupted'
              : 'failed';
      const told = state === 'failed' || (state === 'interrupted' && !this.#closing);
      await this.#end(id, { state, ...(told ? { problem, ...(state === 'failed' ? { endedAt: now() } : {}) } : {}) });
    } finally {
      this.#active.delete(id);
      changed(this.context, 'studies');
    }
  }

  /** Step by step to the end, or to where it is stopped. */
  async #goOn(id: number, active: Active): Promise<studies.StudyChange> {
    const { database } = this.context;
    let losses = 0;
    let probed: Probed | null = null;
    for (;;) {
      if (this.#closing) return { state: 'interrupted' };
      if (active.wish) return { state: active.wish === 'pause' ? 'paused' : 'cancelled' };
      const study = await studies.getStudy(database, id);
      const standing = await this.standing(study);
      const { asked, ended, steps, made, measurements, measured } = standing;
      const next = steps.find((step) => !ended.has(step.key) || step.readTest);
      const measurement = next ? undefined : measurements.find(({ key }) => !measured.has(key));
      if (probed === null && next) {
        await this.#tell(id, standing, null, 'a few steps of each method, to tell the time');
        probed = await probeMethods(this.context, asked.projectId, steps, ended, active.abort.signal);
        continue;
      }
      await this.#tell(id, standing, next ?? null, measurement?.doing ?? '', probed ?? new Map());
      if (measurement) {
        active.abort = new AbortController();
        await this.#measure(id, measurement, active.abort.signal);
        continue;
      }
      if (!next) {
        const report = await reportOf(this.context, this.version, study, standing);
        return { state: 'finished', endedAt: report.provenance.endedAt, report };
      }
      const { shares } = kindOf(asked.plan.kind);
      const run = made.get(next.key);
      if (next.readTest && run) {
        active.runId = run.id;
        await this.queue.readTest(run.id, shares);
        await studies.changeRole(database, run.id, next.role);
        this.context.emit('run', await runs.getRun(database, run.id));
        continue;
      }
      const runId = run?.id ?? (await this.#make(id, asked, next));
      active.runId = runId;
      await this.#train(runId, run ?? null, shares);
      active.runId = null;
      const now = await runs.getRun(database, runId);
      if (now.state === 'paused' && !this.#closing) return { state: active.wish === 'cancel' ? 'cancelled' : 'paused' };
      if (now.state !== 'interrupted') {
        losses = 0;
        continue;
      }
      if (!losing.has(now.problem?.code)) return { state: 'interrupted', problem: now.problem };
      losses += 1;
      if (losses >= mostLosses) await this.queue.change(runId, { state: 'failed' });
    }
  }

  /** A measurement that fails is kept with its reason: the study goes on, and the report says so. */
  async #measure(id: number, { key, take }: Measurement, signal: AbortSignal): Promise<void> {
    const value = await take(this.context, signal).catch((error: unknown) => {
      const problem = problemOf(error);
      if (problem.code === 'cancelled' || signal.aborted) throw error;
      return { problem };
    });
    await studies.keepMeasurement(this.context.database, id, key, value);
  }

  /** The run's row and its place in the study come to be together. */
  async #make(id: number, { projectId }: Asked, { key, role, plan }: StudyStep): Promise<number> {
    const { database, presence, home } = this.context;
    if (plan === null)
      throw new StudioError('internal', `The study's run ${key} is due before its learning rate is chosen.`);
    const resolved = await resolvePlan(this.context, projectId, plan);
    await requireSpace(home, diskBytes(resolved.trainable), 'The run');
    const runId = await database.transaction(async (sql) => {
      const made = await runs.insertRun(sql, {
        projectId,
        modelId: resolved.modelId,
        datasetId: resolved.datasetId,
        plan: resolved.plan,
        initFolder: null,
        ...namesOf(resolved.plan),
        createdAt: now(),
        worker: presence.id,
      });
      await studies.insertStudyRun(sql, id, { key, runId: made, role });
      return made;
    });
    this.context.emit('run', await runs.getRun(database, runId));
    changed(this.context, 'projects');
    return runId;
  }

  /** Puts a run into the queue and waits until it has stopped. `before`: as it was found, null for a new one. */
  async #train(runId: number, before: Run | null, share: boolean): Promise<void> {
    if (before === null) this.queue.take([runId], share);
    else if (!this.queue.isActive(runId)) {
      await this.context.unwritten.retry();
      if (before.state !== 'queued') await this.queue.change(runId, { state: 'queued', problem: null });
      await this.queue.adopt([runId], share);
    }
    await this.queue.settled(runId);
  }

  async #stopRun(runId: number, wish: 'pause' | 'cancel'): Promise<void> {
    if (this.queue.isActive(runId)) return this.queue.ask(runId, wish);
    const { state } = await runs.getRun(this.context.database, runId);
    // It waits behind other runs: nothing of it is under way.
    if (state === 'queued') await this.queue.withdraw(runId, wish === 'pause' ? 'paused' : 'cancelled');
  }

  async #tell(
    id: number,
    standing: Standing,
    next: StudyStep | null,
    measuring: string,
    probed: Probed = new Map(),
  ): Promise<void> {
    const { steps, ended, measurements, measured } = standing;
    const size = next && (standing.asked.plan.examplesPerClass.length > 1 || next.size !== null);
    const doing = next
      ? [
          labelOf(next.method),
          ...(next.start === null ? [] : [`on ${next.start}`]),
          ...(standing.asked.datasets.length > 1 ? [next.dataset.name] : []),
          ...(size ? [`${sizeInWords(next.size)} a class`] : []),
          `seed ${next.seed}`,
          next.readTest ? 'reading the test' : `learning rate ${next.plan?.training.learningRate}`,
        ].join(', ')
      : measuring;
    const progress = {
      done: steps.filter(({ key }) => ended.has(key)).length + measured.size,
      total: steps.length + measurements.length,
      secondsLeft: next ? secondsLeft(steps, ended, probed) : measuring === '' ? 0 : null,
      doing,
    };
    await this.#change(id, { progress });
  }

  /** The end of a study is told even where it cannot be written: it is then written as soon as it can. */
  async #end(id: number, end: studies.StudyChange): Promise<void> {
    const { database, unwritten } = this.context;
    const write = async () => {
      await studies.updateStudy(database, id, end);
      this.#unwritten.delete(id);
    };
    await write().catch(() => {
      this.#unwritten.set(id, end);
      unwritten.add(write);
    });
    this.context.emit('study', this.decorate(await studies.getStudy(database, id)));
  }

  /** Stores a change and tells the window. */
  async #change(id: number, change: studies.StudyChange): Promise<void> {
    await studies.updateStudy(this.context.database, id, change);
    this.context.emit('study', await studies.getStudy(this.context.database, id));
  }
}
