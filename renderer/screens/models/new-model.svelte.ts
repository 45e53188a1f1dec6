/** A new base model from text: the files, the folder, the size, and the making of it. */
import { pretrainingSchema, type Pretraining, type Problem } from '../../../electron/contract/index.js';
import { call, toProblem } from '../../state/client.js';
import { jobs } from '../../state/jobs.svelte.js';
import { models } from '../../state/library.svelte.js';
import { toasts } from '../../state/toasts.svelte.js';
import { t } from '../../language.js';

class NewModel {
  open = $state(false);
  texts = $state<string[]>([]);
  /** The folder that the model's own is made in. */
  place = $state<string | null>(null);
  name = $state('my-encoder');
  settings = $state<Pretraining>(pretrainingSchema.parse({}));
  errors = $state<Record<string, string | null>>({});
  problem = $state.raw<Problem | null>(null);
  jobId = $state<string | null>(null);

  readonly busy = $derived(this.jobId !== null && jobs.byId.get(this.jobId)?.state === 'running');
  /** What is still to do before it can be made; null for nothing. */
  readonly missing = $derived.by(() => {
    if (this.texts.length === 0) return t('Add a text file to learn from.');
    if (this.place === null) return t('Choose the folder that the model is to lie in.');
    if (!/^[^\\/:*?"<>|]+$/.test(this.name.trim()))
      return t('Give a name that can be that of a folder, without \\ / : * ? " < > |');
    if (Object.values(this.errors).some((error) => error !== null)) return t('Correct the marked fields.');
    return null;
  });

  set(key: string, value: unknown): void {
    const checked = pretrainingSchema.safeParse({ ...$state.snapshot(this.settings), [key]: value });
    if (checked.success) this.settings = checked.data;
  }

  async addText(): Promise<void> {
    const { path } = await call('files.choose', { kind: 'data' });
    if (path !== null && !this.texts.includes(path)) this.texts.push(path);
  }

  async choosePlace(): Promise<void> {
    const { path } = await call('files.choose', { kind: 'folder' });
    if (path !== null) this.place = path;
  }

  /** Begins, or goes on where the same was cut off. */
  async make(): Promise<void> {
    if (this.place === null) return;
    this.problem = null;
    const name = this.name.trim();
    const separator = this.place.includes('\\') ? '\\' : '/';
    try {
      const { jobId } = await call('models.pretrain', {
        texts: $state.snapshot(this.texts),
        folder: `${this.place.replace(/[\\/]+$/, '')}${separator}${name}`,
        name,
        settings: $state.snapshot(this.settings),
      });
      this.jobId = jobId;
      await jobs.finished(jobId);
      await models.refresh();
      this.open = false;
      this.jobId = null;
      toasts.show(t('{name} is made and stands among the base models.', { name }), { tone: 'good' });
    } catch (error) {
      const problem = toProblem(error);
      // What was cancelled goes on when it is asked for again.
      if (problem.code !== 'cancelled') this.problem = problem;
      this.jobId = null;
    }
  }
}

export const newModel = new NewModel();
