/** A plan from a file, taken up by the form. */
import { idleBecause } from '../../../electron/contract/index.js';
import type { AskedPlan, BaseModel, Dataset, Matrix, MethodInfo } from '../../../electron/contract/index.js';
import { t } from '../../language.js';
import type { PlanDraft } from './draft.svelte.js';

interface Known {
  readonly methods: readonly MethodInfo[];
  readonly models: readonly BaseModel[];
  readonly datasets: readonly Dataset[];
}

export interface Taken {
  /** What the plan names and this project lacks, in words. */
  readonly missing: readonly string[];
  /** Keys of the plan that the form has no place for. */
  readonly unheld: readonly string[];
}

/** Fills a draft in from a plan, or from methods by seeds; what it chose before is gone. */
export function takePlan(draft: PlanDraft, plan: AskedPlan | Matrix, known: Known): Taken {
  const missing: string[] = [];
  const unheld: string[] = [];
  const matrix = 'methods' in plan ? plan : null;
  const model = known.models.find(({ name, folder }) => name === plan.model || folder === plan.model);
  if (model) draft.modelId = model.id;
  else missing.push(t('the base model {model}', { model: plan.model }));
  const dataset = known.datasets.find(({ name }) => name === plan.data);
  if (dataset) draft.datasetId = dataset.id;
  else missing.push(t('the data set {name}', { name: plan.data }));

  draft.offer(known.methods);
  draft.device = plan.device;
  for (const [type] of draft.methods) draft.change(type, { selected: false });
  const asked = matrix?.methods ?? (plan.method ? [plan.method] : []);
  for (const [i, { type, ...options }] of asked.entries()) {
    const key = matrix ? `methods.${i}` : 'method';
    const info = known.methods.find((method) => method.type === type);
    // A composition has its own screen, and the form holds each method once.
    if (!info || draft.methods.get(type)?.selected) {
      unheld.push(key);
      continue;
    }
    const { learningRate, ...others } = matrix?.overrides?.[type] ?? {};
    const chosen = draft.chosen(dataset ?? null, [type]);
    if (Object.keys(others).some((key) => idleBecause(key, chosen) === null)) unheld.push(`overrides.${type}`);
    draft.change(type, {
      selected: true,
      options: { ...info.defaults, ...options },
      learningRate: learningRate ?? plan.training.learningRate,
    });
  }
  draft.shown = asked.find(({ type }) => draft.methods.get(type)?.selected)?.type ?? draft.shown;

  draft.seedText = (matrix?.seeds ?? [plan.training.seed]).join(', ');
  draft.training = plan.training;
  draft.verbalizer = plan.verbalizer;
  draft.errors = {};
  draft.estimates.clear();
  for (const key of ['composition', 'refineBy', 'watch'] as const) if (plan[key] !== undefined) unheld.push(key);
  if (!plan.readTest) unheld.push('readTest');
  return { missing, unheld };
}
