/** What projects share (base models, methods) and the open project's data sets. */
import type { BaseModel, Dataset, MethodInfo } from '../../electron/contract/index.js';
import { call } from './client.js';
import { removals } from './removals.svelte.js';
import { Resource } from './resource.svelte.js';
import { mark, t } from '../language.js';

class Models extends Resource<readonly BaseModel[]> {
  get list(): readonly BaseModel[] {
    return this.value ?? [];
  }
  async refresh(): Promise<void> {
    await this.read(() => call('models.list', {}));
  }
}

const familyTitles: Readonly<Record<MethodInfo['family'], string>> = {
  base: mark('Parts of the base model'),
  lora: mark('LoRA and relatives'),
  adapter: mark('Adapters'),
  prompt: mark('Prompts and prefixes'),
  hybrid: mark('Hybrids'),
  composition: mark('Composition'),
};

class Methods extends Resource<readonly MethodInfo[]> {
  get list(): readonly MethodInfo[] {
    return this.value ?? [];
  }
  /** By family, each in the registry's order; the baseline's family stands first. */
  readonly families = $derived(
    (Object.keys(familyTitles) as MethodInfo['family'][])
      .map((family) => ({ title: t(familyTitles[family]), methods: this.list.filter((it) => it.family === family) }))
      .filter(({ methods }) => methods.length > 0),
  );
  /** Those that train from the base alone: a composition needs finished runs. */
  readonly plain = $derived(this.list.filter(({ family }) => family !== 'composition'));
  byType(type: string): MethodInfo | null {
    return this.list.find((method) => method.type === type) ?? null;
  }
  async refresh(): Promise<void> {
    await this.read(() => call('methods.list', {}));
  }
}

/** Data sets of one project: the one whose id was last given to `open`. */
class Datasets extends Resource<readonly Dataset[]> {
  projectId = $state<number | null>(null);

  get list(): readonly Dataset[] {
    return (this.value ?? []).filter(({ id }) => !removals.hidden.has(`dataset/${id}`));
  }
  async open(projectId: number): Promise<void> {
    if (this.projectId !== projectId) this.clear();
    this.projectId = projectId;
    await this.read(() => call('datasets.list', { projectId }));
  }
  async refresh(): Promise<void> {
    if (this.projectId !== null) await this.open(this.projectId);
  }
  /** Says what goes, asks, removes; it can be taken back for some seconds. `text` tells it. Returns whether it went. */
  remove(id: number, text: string): Promise<boolean> {
    return removals.ask(() => call('datasets.removal', { id }), t('Delete data set'), {
      key: `dataset/${id}`,
      text,
      remove: async () => {
        await call('datasets.remove', { id });
        await this.refresh();
      },
    });
  }
}

export const models = new Models();
export const methods = new Methods();
export const datasets = new Datasets();
