/** Runs of all projects, kept current by events; one of them may be watched live. */
import { SvelteMap } from 'svelte/reactivity';
import {
  settingKey,
  type DeviceId,
  type EventData,
  type Matrix,
  type Plan,
  type Problem,
  type Run,
} from '../../electron/contract/index.js';
import { call, toProblem } from './client.js';
import { confirm } from './confirm.svelte.js';
import { LiveRun } from './live.svelte.js';
import { removals } from './removals.svelte.js';
import { t } from '../language.js';

export const isActive = (run: Run): boolean =>
  run.state === 'preparing' || run.state === 'running' || run.state === 'paused';
export const isOver = (run: Run): boolean =>
  run.state === 'finished' || run.state === 'cancelled' || run.state === 'failed';

class Runs {
  byId = new SvelteMap<number, Run>();
  loaded = $state(false);
  problem = $state.raw<Problem | null>(null);
  live = $state.raw<LiveRun | null>(null);

  /** Newest first. */
  list = $derived(
    [...this.byId.values()].filter(({ id }) => !removals.hidden.has(`run/${id}`)).sort((a, b) => b.id - a.id),
  );
  active = $derived(this.list.filter(isActive));
  /** In the order in which they will run. */
  queued = $derived(this.list.filter((run) => run.state === 'queued').reverse());

  ofProject(projectId: number): Run[] {
    return this.list.filter((run) => run.projectId === projectId);
  }

  finishedOf(projectId: number): Run[] {
    return this.ofProject(projectId).filter((run) => run.state === 'finished');
  }
  /** Finished runs of the same setting with other seeds, by seed. */
  siblingsOf(run: Run): Run[] {
    const key = settingKey(run);
    return this.finishedOf(run.projectId)
      .filter((other) => other.id !== run.id && other.seed !== run.seed && settingKey(other) === key)
      .sort((a, b) => a.seed - b.seed);
  }
  /** Runs that will still end: the queue and what is under way or paused. */
  pendingOf(projectId: number): Run[] {
    return this.ofProject(projectId).filter((run) => run.state === 'queued' || isActive(run));
  }

  async refresh(): Promise<void> {
    try {
      const all = await call('runs.list', { projectId: null });
      const ids = new Set(all.map((run) => run.id));
      for (const id of this.byId.keys()) if (!ids.has(id)) this.byId.delete(id);
      for (const run of all) this.byId.set(run.id, run);
      this.loaded = true;
      this.problem = null;
    } catch (error) {
      this.problem = toProblem(error);
    }
  }

  receive(run: Run): void {
    this.byId.set(run.id, run);
  }
  receiveMetrics(data: EventData<'metrics'>): void {
    if (this.live?.runId === data.runId) this.live.receive(data);
  }

  /** Follows a run's curves until the next call or `unwatch`. */
  watch(runId: number): LiveRun {
    if (this.live?.runId === runId) return this.live;
    this.live?.dispose();
    const live = new LiveRun(runId);
    this.live = live;
    void live.load();
    return live;
  }
  unwatch(runId: number): void {
    if (this.live?.runId !== runId) return;
    this.live.dispose();
    this.live = null;
  }

  async startMatrix(projectId: number, matrix: Matrix): Promise<readonly Run[]> {
    const started = await call('runs.startMatrix', { projectId, matrix });
    for (const run of started) this.receive(run);
    return started;
  }
  async start(projectId: number, plans: Plan[]): Promise<readonly Run[]> {
    const started = await call('runs.start', { projectId, plans });
    for (const run of started) this.receive(run);
    return started;
  }
  async pause(id: number): Promise<void> {
    this.receive(await call('runs.pause', { id }));
  }
  async resume(id: number, device?: DeviceId): Promise<void> {
    this.receive(await call('runs.resume', { id, device }));
  }
  /** Asks first when work would be lost. Returns whether it was cancelled. */
  async cancel(run: Run): Promise<boolean> {
    const lines =
      run.step > 0
        ? [
            t('{step} of {totalSteps} steps are done. A cancelled run keeps its curves but gets no test score.', {
              step: run.step,
              totalSteps: run.totalSteps,
            }),
          ]
        : [t('It has not started yet.')];
    if (
      !(await confirm.ask({
        title: t('Cancel {methodName}, seed {seed}?', { methodName: run.methodName, seed: run.seed }),
        lines,
        confirmLabel: t('Cancel the run'),
        danger: true,
      }))
    )
      return false;
    this.receive(await call('runs.cancel', { id: run.id }));
    return true;
  }
  /** Says what goes, asks, removes; it can be taken back for some seconds. `text` tells it. Returns whether it went. */
  remove(id: number, text: string): Promise<boolean> {
    return removals.ask(() => call('runs.removal', { id }), t('Delete run'), {
      key: `run/${id}`,
      text,
      remove: async () => {
        await call('runs.remove', { id });
        this.byId.delete(id);
      },
    });
  }
}

export const runs = new Runs();
