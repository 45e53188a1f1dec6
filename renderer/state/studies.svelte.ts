/** Studies of the open project, kept current by events, and what can be done with them. */
import { SvelteMap } from 'svelte/reactivity';
import type { Problem, Study, StudyKind, StudyKindInfo } from '../../electron/contract/index.js';
import { call, toProblem } from './client.js';
import { confirm } from './confirm.svelte.js';
import { removals } from './removals.svelte.js';
import { Resource } from './resource.svelte.js';
import { t } from '../language.js';

class Studies {
  projectId = $state<number | null>(null);
  byId = new SvelteMap<number, Study>();
  loaded = $state(false);
  problem = $state.raw<Problem | null>(null);
  kinds = new Resource<readonly StudyKindInfo[]>();

  /** Newest first. */
  list = $derived(
    [...this.byId.values()].filter(({ id }) => !removals.hidden.has(`study/${id}`)).sort((a, b) => b.id - a.id),
  );

  titleOf(kind: StudyKind): string {
    return t(this.kinds.value?.find((it) => it.kind === kind)?.title ?? kind);
  }

  async open(projectId: number): Promise<void> {
    if (this.projectId !== projectId) {
      this.byId.clear();
      this.loaded = false;
    }
    this.projectId = projectId;
    await Promise.all([this.refresh(), this.kinds.value ? null : this.kinds.read(() => call('studies.kinds', {}))]);
  }

  async refresh(): Promise<void> {
    const { projectId } = this;
    if (projectId === null) return;
    try {
      const all = await call('studies.list', { projectId });
      if (this.projectId !== projectId) return;
      const ids = new Set(all.map((study) => study.id));
      for (const id of this.byId.keys()) if (!ids.has(id)) this.byId.delete(id);
      for (const study of all) this.byId.set(study.id, study);
      this.loaded = true;
      this.problem = null;
    } catch (error) {
      this.problem = toProblem(error);
    }
  }

  receive(study: Study): void {
    if (study.projectId === this.projectId) this.byId.set(study.id, study);
  }

  async pause(id: number): Promise<void> {
    this.receive(await call('studies.pause', { id }));
  }
  async resume(id: number): Promise<void> {
    this.receive(await call('studies.resume', { id }));
  }
  /** Asks first: the run under way ends with it. Returns whether it was cancelled. */
  async cancel({ id, name, progress }: Study): Promise<boolean> {
    const lines = [
      t('{done} of {total} runs have ended and stay. The run under way is cancelled.', {
        done: progress.done,
        total: progress.total,
      }),
      t('A cancelled study can be resumed later.'),
    ];
    if (
      !(await confirm.ask({
        title: t('Cancel {name}?', { name }),
        lines,
        confirmLabel: t('Cancel the study'),
        danger: true,
      }))
    )
      return false;
    this.receive(await call('studies.cancel', { id }));
    return true;
  }
  /**
   * Says what goes, asks, removes; it can be taken back for some seconds. `runs`: with the runs it made; `text` tells it. Returns whether it went.
   */
  async remove(id: number, runs: boolean, text: string): Promise<boolean> {
    const made = runs ? await call('studies.runs', { id }) : [];
    return removals.ask(() => call('studies.removal', { id, runs }), t('Delete study'), {
      key: `study/${id}`,
      with: made.flatMap(({ runId }) => (runId === null ? [] : [`run/${runId}`])),
      text,
      remove: async () => {
        await call('studies.remove', { id, runs });
        this.byId.delete(id);
      },
    });
  }
  /** The same plan again from the start. */
  async repeat(id: number): Promise<Study> {
    const study = await call('studies.repeat', { id });
    this.receive(study);
    return study;
  }
}

export const studies = new Studies();
