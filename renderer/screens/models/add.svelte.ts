/** Adding a base model: choose a folder, see what is in it, name it, add it. */
import type { CallOutput, Problem } from '../../../electron/contract/index.js';
import { call, toProblem } from '../../state/client.js';
import { confirm } from '../../state/confirm.svelte.js';
import { models } from '../../state/library.svelte.js';
import { toasts } from '../../state/toasts.svelte.js';
import { t } from '../../language.js';

class AddModel {
  folder = $state<string | null>(null);
  preview = $state.raw<CallOutput<'models.inspect'> | null>(null);
  problem = $state.raw<Problem | null>(null);
  name = $state('');
  busy = $state(false);

  async choose(): Promise<void> {
    const { path } = await call('files.choose', { kind: 'model-folder' });
    if (path !== null) await this.open(path);
  }

  /** Looks into a folder that the user chose or dropped. */
  async open(path: string): Promise<void> {
    this.folder = path;
    this.preview = null;
    this.problem = null;
    this.name = path.split(/[\\/]/).filter(Boolean).at(-1) ?? 'model';
    this.busy = true;
    try {
      this.preview = await call('models.inspect', { folder: path });
      this.name = this.preview.name || this.name;
    } catch (error) {
      this.problem = toProblem(error);
    } finally {
      this.busy = false;
    }
  }

  async add(): Promise<void> {
    if (this.folder === null) return;
    this.busy = true;
    try {
      const model = await call('models.add', { folder: this.folder, name: this.name.trim() || undefined });
      await models.refresh();
      this.close();
      toasts.show(t('{model} is ready to train.', { model: model.name }), { tone: 'good' });
    } catch (error) {
      this.problem = toProblem(error);
    } finally {
      this.busy = false;
    }
  }

  close(): void {
    this.folder = null;
    this.preview = null;
    this.problem = null;
  }
}

export const addModel = new AddModel();

/** Opens the folder dialog; failures of the dialog itself are shown as a notice. */
export async function addModelFolder(): Promise<void> {
  try {
    await addModel.choose();
  } catch (error) {
    toasts.problem(error);
  }
}

/** Takes a model out of the list; its folder stays where it is. */
export async function removeModel(id: number, name: string): Promise<void> {
  try {
    if (
      !(await confirm.ask({
        title: t('Take {name} out of the list?', { name }),
        lines: [
          t('Its folder stays on disk as it is.'),
          t('Runs on it keep their scores; they cannot be used or resumed until the folder is added again.'),
        ],
        confirmLabel: t('Take out'),
        danger: true,
      }))
    )
      return;
    await call('models.remove', { id });
    await models.refresh();
  } catch (error) {
    toasts.problem(error);
  }
}
