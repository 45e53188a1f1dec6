/** A study as the user plans it in one project; kept as it is edited. */
import {
  StudioError,
  studySchema,
  studyWithin,
  type BaseModel,
  type CallInput,
  type Dataset,
  type DeviceChoice,
  type Estimate,
  type MethodOptions,
  type Problem,
  type StudyKind,
  type StudyOutline,
  type StudyPlan,
  type Training,
} from '../../../electron/contract/index.js';
import { call, toProblem } from '../../state/client.js';
import { keep } from '../../state/kept.svelte.js';
import { Resource } from '../../state/resource.svelte.js';
import { parseSeeds } from '../models/draft.svelte.js';
import { keptStudy } from './saved.svelte.js';
import { t } from '../../language.js';

type PlanInput = CallInput<'studies.check'>['study'];

/** "8, 16, all"; null when it cannot be read. */
export function parseSizes(text: string): (number | 'all')[] | null {
  const parts = text
    .split(/[,;]/)
    .map((part) => part.trim().toLowerCase())
    .filter(Boolean);
  const sizes = parts.map((part) =>
    part === 'all' || part === 'alle' ? ('all' as const) : /^[1-9]\d*$/.test(part) ? Number(part) : null,
  );
  return sizes.length === 0 || sizes.includes(null) ? null : [...new Set(sizes.filter((size) => size !== null))];
}

/** "0.0003, 1e-3"; an empty text is each method's own rates, null when it cannot be read. */
export function parseRates(text: string): { readonly rates: number[] | null } | null {
  const parts = text
    .split(/[,;]/)
    .map((part) => part.trim())
    .filter(Boolean);
  if (parts.length === 0) return { rates: null };
  const rates = parts.map(Number);
  return rates.every((rate) => rate > 0 && rate <= 10) ? { rates: [...new Set(rates)] } : null;
}

/** What all runs of a study would take: each method measured by a few real steps. */
export interface Measured {
  readonly seconds: { readonly low: number; readonly high: number };
  readonly bytes: number;
}

function studyIn(text: string): StudyPlan {
  const hint = t('Choose a study saved here or written for the command, or the JSON of a report.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new StudioError('bad-file', t('The file is no JSON.'), hint, {}, { cause: error });
  }
  const checked = studySchema.safeParse(studyWithin(value));
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const place = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  throw new StudioError(
    'bad-file',
    t('The file holds no study. {place}{message}', { place, message: issue?.message ?? '' }),
    hint,
  );
}

export class StudyDraft {
  kind = $state<StudyKind>('quality');
  name = $state('');
  modelId = $state<number | null>(null);
  /** Ids in the order in which they are used; null until the project's data are known. */
  chosenData = $state.raw<readonly number[] | null>(null);
  methods = $state.raw<readonly MethodOptions[]>([{ type: 'lora' }]);
  seedText = $state('1, 2, 3');
  sizeText = $state('all');
  rateText = $state('');
  zone = $state(1);
  training = $state.raw<Partial<Training>>({});
  generalText = $state<string | null>(null);
  device = $state<DeviceChoice>('auto');
  /** Reasons of faulty fields, by field. */
  errors = $state<Record<string, string | null>>({});
  readonly outline = new Resource<StudyOutline>();
  measured = $state.raw<Measured | null>(null);
  measuring = $state(false);
  measureProblem = $state.raw<Problem | null>(null);
  #turn = 0;

  // Read anew each time: a $derived made while a screen draws belongs to it and goes stale when it is left.
  get seeds() {
    return parseSeeds(this.seedText);
  }
  get sizes() {
    return parseSizes(this.sizeText);
  }
  get rates() {
    return parseRates(this.rateText);
  }
  get readable(): boolean {
    const { seeds, sizes, rates, errors } = this;
    return seeds !== null && sizes !== null && rates !== null && Object.values(errors).every((error) => error === null);
  }
  get datasetIds(): readonly number[] {
    return this.chosenData ?? [];
  }

  has(type: string): boolean {
    return this.methods.some((method) => method.type === type);
  }
  /** Adds a method with its defaults, or takes out all of its type. */
  toggle(type: string, on: boolean): void {
    this.methods = on ? [...this.methods, { type }] : this.methods.filter((method) => method.type !== type);
  }
  toggleData(id: number, on: boolean): void {
    this.chosenData = on ? [...this.datasetIds, id] : this.datasetIds.filter((other) => other !== id);
  }
  setTraining(key: string, value: unknown): void {
    const { [key as keyof Training]: _, ...rest } = this.training;
    this.training = value === undefined || value === null ? rest : { ...rest, [key]: value };
  }

  /** What the fields say; null while one cannot be read or nothing is chosen. */
  plan(models: readonly BaseModel[], datasets: readonly Dataset[]): PlanInput | null {
    const model = models.find(({ id }) => id === this.modelId);
    const data = this.datasetIds.flatMap((id) => datasets.find((set) => set.id === id)?.name ?? []);
    const { seeds, sizes, rates } = this;
    if (!model || data.length === 0 || this.methods.length === 0 || !seeds || !sizes || !rates || !this.readable)
      return null;
    return {
      kind: this.kind,
      name: this.name.trim(),
      model: model.name,
      data,
      methods: [...this.methods],
      seeds,
      examplesPerClass: sizes,
      learningRates: rates.rates,
      zone: this.zone,
      training: this.training,
      generalText: this.generalText,
      device: this.device,
    };
  }

  /** Asks what the study would do; an answer that came too late is dropped. */
  async check(projectId: number, study: PlanInput | null): Promise<void> {
    this.measured = null;
    this.measureProblem = null;
    if (study === null) this.outline.clear();
    else if (!(await this.outline.read(() => call('studies.check', { projectId, study })))) this.outline.value = null;
  }

  /** Measures each method once, by a few steps on its largest data, and counts up. */
  async measure(projectId: number, { study, methods, runs }: StudyOutline): Promise<void> {
    const turn = ++this.#turn;
    this.measuring = true;
    this.measureProblem = null;
    try {
      const estimates: Estimate[] = [];
      for (const [i, { type, learningRates }] of methods.entries()) {
        const options = study.methods.find((method) => method.type === type) ?? { type };
        estimates.push(
          await call('runs.estimate', {
            projectId,
            plan: {
              model: study.model,
              data: study.data[i % study.data.length] ?? '',
              method: options,
              training: { ...study.training, learningRate: learningRates[0] ?? 0.001, seed: study.seeds[0] ?? 1 },
              device: study.device,
            },
          }),
        );
        if (turn !== this.#turn) return;
      }
      const mean = (of: (estimate: Estimate) => number) =>
        estimates.reduce((sum, estimate) => sum + of(estimate), 0) / Math.max(1, estimates.length);
      this.measured = {
        seconds: { low: mean((it) => it.seconds.low) * runs, high: mean((it) => it.seconds.high) * runs },
        bytes: mean((it) => it.diskBytes) * runs,
      };
    } catch (error) {
      if (turn === this.#turn) this.measureProblem = toProblem(error);
    } finally {
      if (turn === this.#turn) this.measuring = false;
    }
  }

  /**
   * Takes up a study, as a file holds it or a report carries it. Returns what it names and this project lacks.
   * @throws StudioError 'bad-file' for what is neither
   */
  load(text: string, models: readonly BaseModel[], datasets: readonly Dataset[]): string[] {
    return this.take(studyIn(text), models, datasets);
  }

  /** Takes up a study. Returns what it names and this project lacks. */
  take(plan: StudyPlan, models: readonly BaseModel[], datasets: readonly Dataset[]): string[] {
    this.kind = plan.kind;
    this.name = plan.name;
    this.methods = plan.methods.filter(({ type }) => type !== 'full');
    this.seedText = plan.seeds.join(', ');
    this.sizeText = plan.examplesPerClass.join(', ');
    this.rateText = plan.learningRates?.join(', ') ?? '';
    this.zone = plan.zone;
    this.training = plan.training;
    this.generalText = plan.generalText;
    this.device = plan.device;
    const model = models.find(({ name, folder }) => name === plan.model || folder === plan.model);
    this.modelId = model?.id ?? this.modelId;
    const found = plan.data.map((name) => datasets.find((set) => set.name === name));
    this.chosenData = found.flatMap((set) => set?.id ?? []);
    return [
      ...(model ? [] : [t('the base model {model}', { model: plan.model })]),
      ...plan.data.filter((_, i) => !found[i]).map((name) => t('the data set {name}', { name })),
    ];
  }
}

const drafts = new Map<number, StudyDraft>();
/** The draft of a project: the same one each time; it is kept through restarts. */
export function draftOf(projectId: number): StudyDraft {
  const known = drafts.get(projectId);
  if (known) return known;
  const draft = new StudyDraft();
  drafts.set(projectId, draft);
  keep(keptStudy(draft, projectId));
  return draft;
}
