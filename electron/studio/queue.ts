/**
 * The run queue: one run at a time, in order, each in a trainer process of its own unless it may share one with the run before.
 * What it tells is stored before it is shown.
 */
import type { Run } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import type { DeviceId } from '../contract/plan.js';
import { models, runs } from '../storage/index.js';
import type { TrainerEvent, TrainTask } from '../trainer/protocol.js';
import { changed, now, runFolder, type Context } from './context.js';
import { MemoryGate } from './memory.js';
import { RunRecord, type Worked } from './run-record.js';
import { SharedTrainer } from './shared-trainer.js';
import { begunOn, taskOf } from './train-task.js';
import { watchOf } from './watch.js';
import type { RunningJob, TrainerClient } from './trainer-client.js';

interface Active extends Worked {
  job: RunningJob<'train'> | RunningJob<'test'> | null;
  client: TrainerClient | null;
  /** Lets devices be tested again. */
  allowTests: () => void;
}

export class RunQueue {
  #active: Active | null = null;
  #closing = false;
  /** Runs that this process is to train, in order. Another process on the same folder has a queue of its own. */
  readonly #waiting: number[] = [];
  #working: Promise<void> | null = null;
  /** Of these, runs that are finished and left the test out: it is read now. */
  readonly #tests = new Map<number, Settled>();
  readonly #shared: SharedTrainer;
  #settling: { readonly runId: number; readonly resolve: () => void }[] = [];
  readonly #record: RunRecord;
  readonly #memory: MemoryGate;

  constructor(private readonly context: Context) {
    this.#memory = new MemoryGate(context);
    this.#shared = new SharedTrainer(context.spawnTrainer);
    this.#record = new RunRecord(context, (runId) => (this.#active?.runId === runId ? this.#active : null));
  }

  /** Trains these runs after those that wait already; with `share` in one process as long as no other run comes between. */
  take(runIds: readonly number[], share = false): void {
    if (share) for (const id of runIds) this.#shared.allow(id);
    this.#waiting.push(...runIds.filter((id) => !this.#waiting.includes(id)));
    if (this.#closing || this.#waiting.length === 0) return;
    this.#working ??= this.#work().catch((error: unknown) => {
      this.context.log.problem('queue', error);
      console.error(error);
    });
  }

  /** Reads the test of a finished run that left it out, when its turn comes. @throws StudioError of the job; 'cancelled' where this process ends before */
  readTest(runId: number, share: boolean): Promise<void> {
    if (this.#closing) return Promise.reject(closing());
    return new Promise((resolve, reject) => {
      this.#tests.set(runId, { resolve, reject });
      this.take([runId], share);
    });
  }

  /** Takes up what another process left waiting. */
  async adopt(runIds: readonly number[], share = false): Promise<void> {
    const { database, presence } = this.context;
    for (const id of runIds) if (await runs.assignQueued(database, id, presence.id)) this.take([id], share);
  }

  /** Takes a run that waits out of the queue. */
  async withdraw(runId: number, state: 'paused' | 'cancelled'): Promise<void> {
    await this.change(runId, state === 'cancelled' ? { state, endedAt: now() } : { state });
    const at = this.#waiting.indexOf(runId);
    if (at >= 0) this.#waiting.splice(at, 1);
    this.#settle((settling) => settling.runId === runId);
  }

  /** Resolves when a run that waits or is under way here has stopped, however; at once for any other, and when the app closes. */
  settled(runId: number): Promise<void> {
    if (this.#closing || (!this.isActive(runId) && !this.#waiting.includes(runId))) return Promise.resolve();
    return new Promise((resolve) => this.#settling.push({ runId, resolve }));
  }

  /** The run with what only this process knows. */
  decorate(run: Run): Run {
    return this.#record.decorate(run);
  }

  /** Stores a change and tells the window. */
  change(runId: number, change: runs.RunChange): Promise<Run> {
    return this.#record.change(runId, change);
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
    // A test is short and keeps nothing of what it has read: it is stopped either way.
    if (this.#tests.has(runId)) active.job?.cancel();
  }

  /** Lets the active run save and stop. Waiting runs stay in the queue for the next start. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#active) this.ask(this.#active.runId, 'pause');
    await this.#working;
    this.#shared.close();
    this.#settle(() => true);
    for (const { reject } of this.#tests.values()) reject(closing());
    this.#tests.clear();
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
          const test = this.#tests.get(runId);
          if (test === undefined) await this.#train(this.#active);
          else await this.#test(this.#active).then(test.resolve, test.reject);
        } finally {
          this.#tests.delete(runId);
          if (this.#active.client) this.#shared.giveBack(runId, this.#active.client);
          this.#active.allowTests();
          this.#active = null;
          this.#settle((settling) => settling.runId === runId);
        }
      }
    } finally {
      // In the same breath as the last look at the queue: what comes next starts anew.
      this.#working = null;
    }
  }

  #settle(fits: (settling: { readonly runId: number }) => boolean): void {
    const settled = this.#settling.filter(fits);
    this.#settling = this.#settling.filter((settling) => !fits(settling));
    for (const { resolve } of settled) resolve();
  }

  async #train(active: Active): Promise<void> {
    const { database, presence } = this.context;
    const { runId } = active;
    try {
      // It may have been cancelled, paused or deleted while it waited.
      if (!(await runs.claimQueued(database, runId, presence.id)))
        return void (await this.#record.tell(runId).catch(() => undefined));
      const before = await runs.getRun(database, runId);
      active.run = before;
      await this.change(runId, {
        state: 'preparing',
        startedAt: before.startedAt ?? now(),
        endedAt: null,
        problem: null,
      });
      const gone = await this.context.presence.whyGone();
      if (gone) throw gone;
      const { device, why } = await this.#deviceOf(before);
      await this.#record.log(runId, 'check', why);
      const task = {
        ...(await taskOf(this.context, before, device, await runs.initFolderOf(database, runId))),
        ...(await watchOf(this.context, before)),
      };
      active.allowTests = await this.context.devices.holdOff();
      // What has run before fits; a run cut off at its first steps may be one that did not.
      if (before.step === 0) await this.#requireMemory(active, task, before.modelId);
      const client = this.#shared.clientFor(runId);
      active.client = client;
      // Events are stored in order; the end waits for them.
      let stored: Promise<void> = Promise.resolve();
      let storedEvents = 0;
      const onEvent = (event: TrainerEvent) => {
        stored = stored
          .then(async () => {
            await this.#record.store(active, event);
            // After a gap nothing counts as stored: checkpoints then carry the rest, for the resumed run to tell again.
            if (event.type === 'metrics' && failure === undefined) job.stored(++storedEvents);
          })
          .catch((error: unknown) => {
            failure ??= error;
            active.job?.cancel();
          });
      };
      let failure: unknown;
      const job = client.start<'train'>(
        {
          type: 'train',
          task,
          runFolder: runFolder(this.context.home, runId),
          resume: before.step > 0 || before.startedAt !== null,
          keeps: this.#shared.shares(runId),
        },
        onEvent,
      );
      active.job = job;
      if (active.wish) this.ask(runId, active.wish);
      const done = await job.result
        .finally(() => {
          active.allowTests();
          return stored;
        })
        .catch((error: unknown) => {
          // The job was cancelled because what it told could not be stored: that is the reason.
          throw failure ?? error;
        });
      if (failure !== undefined) throw failure;
      await this.#record.finish(runId, done);
    } catch (error) {
      // What a job that failed left in its process is not known.
      if (active.client) this.#shared.drop(active.client);
      await this.#record.fail(active, error);
    }
    changed(this.context, 'projects');
  }

  async #test(active: Active): Promise<void> {
    const { database, devices } = this.context;
    const { runId } = active;
    const run = await runs.getRun(database, runId);
    active.run = run;
    if (run.state !== 'finished' || run.result === null || run.result.test !== null)
      throw new StudioError('conflict', `Run ${runId} is ${run.state} and has no test to read.`, null, { run: runId });
    const { device } = await this.#deviceOf(run);
    const task = await taskOf(this.context, run, device, null);
    active.allowTests = await devices.holdOff();
    const client = this.#shared.clientFor(runId);
    active.client = client;
    let stored: Promise<void> = Promise.resolve();
    const job = client.start<'test'>(
      {
        type: 'test',
        task,
        runFolder: runFolder(this.context.home, runId),
        wording: run.result.wording ?? null,
        keeps: this.#shared.shares(runId),
      },
      (event) => {
        stored = stored.then(() => this.#record.store(active, event));
        // Waited for below; until then nobody listens to it.
        stored.catch(() => undefined);
      },
    );
    active.job = job;
    if (active.wish || this.#closing) job.cancel();
    try {
      const { scores } = await job.result;
      await stored;
      await database.transaction(async (sql) => {
        await runs.replacePlan(sql, runId, { ...run.plan, readTest: true });
        await runs.updateRun(sql, runId, { result: run.result && { ...run.result, test: scores } });
      });
    } catch (error) {
      this.#shared.drop(client);
      throw error;
    }
    await this.#record.log(runId, 'check', `Test, read once with the parameters of step ${run.result.bestStep}.`);
    await this.#record.tell(runId);
  }

  /** What was chosen for the rest of a run comes before what its plan asks for. @throws StudioError 'device-failed' */
  async #deviceOf(run: Run): Promise<{ device: DeviceId; why: string }> {
    const chosen = await runs.chosenDeviceOf(this.context.database, run.id);
    return this.context.devices.resolve(chosen ?? run.plan.device, begunOn(run));
  }

  async #requireMemory(active: Active, task: TrainTask, modelId: number): Promise<void> {
    const line = await this.#memory.check(task, await models.getModel(this.context.database, modelId));
    const { runId } = active;
    if (active.wish === 'cancel') throw new StudioError('cancelled', 'Cancelled.');
    if (line === null) return;
    await this.#record.log(runId, 'probe', line);
  }
}

interface Settled {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const closing = () => new StudioError('cancelled', 'The app was closed.', 'Open it again and resume.');
