/** What the user is about to train in one project: model, data, methods with options, seeds, settings. Kept while the window lives. */
import { taskTable, trainingFor, trainingSchema, verbalizerSchema } from '../../../electron/contract/index.js';
import type {
  AskedPlan,
  BaseModel,
  CallOutput,
  Chosen,
  Dataset,
  DeviceChoice,
  Estimate,
  MapGroup,
  Matrix,
  MethodInfo,
  Objective,
  Problem,
  Run,
  Training,
  VerbalizerPlan,
} from '../../../electron/contract/index.js';
import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { call, toProblem } from '../../state/client.js';
import { keep } from '../../state/kept.svelte.js';
import { Resource } from '../../state/resource.svelte.js';
import { mark } from '../../language.js';
import { keptPlan } from './saved.svelte.js';

export type Counts = CallOutput<'models.count'>;

export interface MethodDraft {
  selected: boolean;
  options: Record<string, unknown>;
  learningRate: number;
}

export type Measured =
  | { readonly state: 'measuring' }
  | { readonly state: 'done'; readonly estimate: Estimate }
  | { readonly state: 'failed'; readonly problem: Problem };

/** What a field of seeds takes. */
export const seedsWanted = mark(
  'Whole numbers, such as 1, 2, 3 or 1 to 5; none above 4294967295, and no range of more than 100.',
);

/** Seeds as the user writes them: "1, 2, 3" or "1 to 5"; null when it cannot be read. */
export function parseSeeds(text: string): number[] | null {
  const seeds: number[] = [];
  for (const part of text
    .split(/[,;]/)
    .map((piece) => piece.trim())
    .filter(Boolean)) {
    const range = /^(\d+)\s*(?:to|bis|-|\u2013)\s*(\d+)$/.exec(part);
    if (range) {
      const [from, to] = [Number(range[1]), Number(range[2])];
      if (to < from || to - from >= 100) return null;
      for (let seed = from; seed <= to; seed += 1) seeds.push(seed);
    } else if (/^\d+$/.test(part)) seeds.push(Number(part));
    else return null;
  }
  if (seeds.length === 0 || seeds.some((seed) => seed > 4_294_967_295)) return null;
  return [...new Set(seeds)];
}

/** Settings of a training that differ from another's. */
const changesOf = (from: Training, to: Training): Partial<Training> =>
  Object.fromEntries(Object.entries(to).filter(([key, value]) => !Object.is(value, from[key as keyof Training])));

export class PlanDraft {
  modelId = $state<number | null>(null);
  datasetId = $state<number | null>(null);
  device = $state<DeviceChoice>('auto');
  seedText = $state('1, 2, 3');
  training = $state<Training>(trainingSchema.parse({}));
  /** Label words in a prompt instead of a head; null: a head. */
  verbalizer = $state<VerbalizerPlan | null>(null);
  /** By method type. */
  methods = new SvelteMap<string, MethodDraft>();
  /** The method whose options and map are shown. */
  shown = $state<string>('lora');
  /** The stage that the map shows, from 0; null for what any stage trains. */
  stage = $state<number | null>(null);
  counts = new SvelteMap<string, Counts>();
  /** The map of the shown method; the last good one stays while the next is drawn. */
  readonly map = new Resource<readonly MapGroup[]>();
  countProblems = new SvelteMap<string, Problem>();
  estimates = new SvelteMap<string, Measured>();
  /** Reasons of faulty fields, by field. */
  errors = $state<Record<string, string | null>>({});

  /** Types of methods that search for a wording. */
  readonly #searching = new SvelteSet<string>();
  /** What the base model learns on the data set, once it was counted. */
  #learned = $state.raw<{ modelId: number; datasetId: number | null; objective: Objective } | null>(null);

  /** The finished run that is gone on from, in a further round; null: from the base model. */
  readonly refines: number | null;

  /** @param former the run of which a further round is planned: its model, data, seed and settings are taken over */
  constructor(former: Run | null = null) {
    this.refines = former?.id ?? null;
    if (!former) return;
    this.modelId = former.modelId;
    this.datasetId = former.datasetId;
    this.device = former.plan.device;
    this.seedText = String(former.seed);
    this.training = former.plan.training;
    this.verbalizer = former.plan.verbalizer;
  }

  // Read anew each time: a $derived made while a screen draws belongs to it and goes stale when it is left.
  get seeds() {
    return parseSeeds(this.seedText);
  }

  /** Takes up methods that are new to the draft: the baseline and LoRA are chosen at first. */
  offer(list: readonly MethodInfo[]): void {
    for (const method of list) {
      if (method.searches) this.#searching.add(method.type);
      if (this.methods.has(method.type)) continue;
      this.methods.set(method.type, {
        selected: method.type === 'lora' || (method.type === 'full' && this.refines === null),
        options: { ...method.defaults },
        learningRate: method.learningRate,
      });
    }
    if (!this.methods.has(this.shown)) this.shown = list[0]?.type ?? 'lora';
  }

  /** Changes part of a method's draft; what was counted and measured for it no longer holds. */
  change(type: string, change: Partial<MethodDraft>): void {
    const known = this.methods.get(type);
    if (!known) return;
    this.methods.set(type, { ...known, ...change });
    if (change.options || change.learningRate !== undefined) this.estimates.delete(type);
  }

  setTraining(key: string, value: unknown): void {
    const checked = trainingSchema.safeParse({ ...$state.snapshot(this.training), [key]: value });
    if (!checked.success) return;
    this.training = checked.data;
    this.estimates.clear();
  }

  /** Answers by a head again, or by words: an empty template and words left out are the defaults. */
  setVerbalizer(change: Partial<VerbalizerPlan> | null): void {
    this.verbalizer =
      change === null ? null : verbalizerSchema.parse({ ...$state.snapshot(this.verbalizer), ...change });
    this.estimates.clear();
  }

  get selected(): [string, MethodDraft][] {
    return [...this.methods].filter(([, method]) => method.selected);
  }

  /** What runs on a data set are made of: by these methods, or by all chosen ones. */
  chosen(dataset: Dataset | null, types: readonly string[] = this.selected.map(([type]) => type)): Chosen {
    return {
      objectives: dataset ? this.#objectives(dataset) : [],
      form: dataset?.form ?? null,
      validated: dataset === null || dataset.rows.validation > 0,
      searches: types.length > 0 && types.every((type) => this.#searching.has(type)),
      device: this.device,
    };
  }

  /** Plain texts are learned as the base model was made for them, which its count tells. */
  #objectives({ id, task, form }: Dataset): readonly Objective[] {
    if (form !== 'text') return [taskTable[task].objective];
    const known = this.#learned;
    return known?.modelId === this.modelId && known.datasetId === id ? [known.objective] : ['causal-lm', 'masked-lm'];
  }

  get hasErrors(): boolean {
    return (
      Object.values(this.errors).some((error) => error !== null) ||
      this.seeds === null ||
      this.selected.some(([type]) => this.countProblems.has(type))
    );
  }

  /** Counts parameters of one method; the answer to an outdated question is dropped. */
  async count(type: string): Promise<void> {
    const method = this.methods.get(type);
    const { modelId, datasetId } = this;
    if (!method || modelId === null) return;
    const verbalizer = this.verbalizer !== null;
    const asked = JSON.stringify([modelId, datasetId, method.options, verbalizer]);
    const current = () =>
      asked ===
      JSON.stringify([this.modelId, this.datasetId, this.methods.get(type)?.options, this.verbalizer !== null]);
    try {
      const counts = await call('models.count', {
        modelId,
        datasetId,
        method: { type, ...method.options },
        verbalizer,
        refines: this.refines,
      });
      if (!current()) return;
      this.#learned = { modelId, datasetId, objective: counts.objective };
      this.counts.set(type, counts);
      this.countProblems.delete(type);
    } catch (error) {
      if (!current()) return;
      this.countProblems.set(type, toProblem(error));
    }
  }

  /** Draws the map of one method; the answer to an outdated question is dropped. */
  async drawMap(type: string): Promise<void> {
    const options = this.methods.get(type)?.options;
    const { modelId, datasetId } = this;
    if (!options || modelId === null) return;
    const stages = this.counts.get(type)?.stages.length ?? 0;
    const stage = this.stage !== null && this.stage < stages ? this.stage : null;
    // What is wrong with the options is said where they are counted.
    await this.map.read(() =>
      call('models.map', {
        modelId,
        datasetId,
        method: { type, ...$state.snapshot(options) },
        verbalizer: this.verbalizer !== null,
        stage,
        refines: this.refines,
      }),
    );
  }

  plan(type: string, model: BaseModel, dataset: Dataset, seed: number): AskedPlan | null {
    const method = this.methods.get(type);
    if (!method) return null;
    return {
      model: model.name,
      data: dataset.name,
      ...this.#objectiveOn(dataset),
      method: { ...$state.snapshot(method.options), type },
      ...this.#round(),
      training: { ...this.#trainingOn(dataset, [type]), learningRate: method.learningRate, seed },
      readTest: true,
      device: this.device,
    };
  }

  /** Only classes of texts have words; what else is learned follows from the data and the base model. */
  #objectiveOn({ task }: Dataset): Pick<AskedPlan, 'objective' | 'verbalizer'> {
    return task === 'classification'
      ? { objective: 'classification', verbalizer: $state.snapshot(this.verbalizer) }
      : { verbalizer: null };
  }

  /** What was set for another choice, and plays no part now, is not sent. */
  #trainingOn(dataset: Dataset, types?: readonly string[]): Training {
    return trainingFor($state.snapshot(this.training), this.chosen(dataset, types));
  }

  #round(): Pick<AskedPlan, 'refines'> {
    return this.refines === null ? {} : { refines: this.refines };
  }

  matrix(model: BaseModel, dataset: Dataset): Matrix {
    const chosen = this.selected;
    const training = this.#trainingOn(dataset);
    return {
      model: model.name,
      data: dataset.name,
      ...this.#objectiveOn(dataset),
      ...this.#round(),
      readTest: true,
      device: this.device,
      training,
      seeds: this.seeds ?? [1],
      methods: chosen.map(([type, method]) => ({ ...$state.snapshot(method.options), type })),
      overrides: Object.fromEntries(
        chosen.map(([type, { learningRate }]) => [
          type,
          { ...changesOf(training, trainingFor(training, this.chosen(dataset, [type]))), learningRate },
        ]),
      ),
    };
  }

  /** Measures each chosen method by a few real steps, one after the other. */
  async measure(projectId: number, model: BaseModel, dataset: Dataset): Promise<void> {
    const seed = this.seeds?.[0] ?? 1;
    const types = this.selected.map(([type]) => type);
    for (const type of types) this.estimates.set(type, { state: 'measuring' });
    for (const type of types) {
      const plan = this.plan(type, model, dataset, seed);
      if (!plan) continue;
      try {
        this.estimates.set(type, { state: 'done', estimate: await call('runs.estimate', { projectId, plan }) });
      } catch (error) {
        this.estimates.set(type, { state: 'failed', problem: toProblem(error) });
      }
    }
  }
}

const drafts = new Map<string, PlanDraft>();

/** The draft of a project, or of a further round on one of its runs: the same one each time; it is kept through restarts. */
export function draftOf(projectId: number, former: Run | null = null): PlanDraft {
  const key = `${projectId}/${former?.id ?? ''}`;
  const known = drafts.get(key);
  if (known) return known;
  const draft = new PlanDraft(former);
  drafts.set(key, draft);
  keep(keptPlan(draft, key));
  return draft;
}
