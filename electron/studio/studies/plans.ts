/** The plan of one run of a study. */
import type { Dataset } from '../../contract/entities.js';
import { taskTable } from '../../contract/objectives.js';
import { trainingSchema, type MethodOptions, type Plan, type RefineBy } from '../../contract/plan.js';
import { listMethods } from '../../engine/index.js';
import type { Asked, StudyMethod } from './kinds/kind.js';

/** Where the study names neither epochs nor steps, a run on a few examples takes so many steps at least. */
export const leastSteps = 100;
const validations = 10;

interface RunPlace {
  readonly dataset: Dataset;
  readonly method: StudyMethod;
  readonly size: number | null;
  readonly seed: number;
  readonly learningRate: number;
  readonly readTest: boolean;
  /** The finished run that it goes on from. */
  readonly refines?: { readonly run: number; readonly by: RefineBy | undefined };
}

export function planOf(
  { plan }: Pick<Asked, 'plan'>,
  { dataset, method, size, seed, learningRate, readTest, refines }: RunPlace,
): Plan {
  const training = trainingSchema.parse({ ...plan.training, examplesPerClass: size, learningRate, seed });
  return {
    model: plan.model,
    data: dataset.name,
    objective: taskTable[dataset.task].objective,
    verbalizer: null,
    method: method.options,
    ...(refines ? { refines: refines.run, ...(refines.by ? { refineBy: refines.by } : {}) } : {}),
    training: { ...training, ...(size === null ? {} : stepsOnFew(plan.training, training, dataset, size)) },
    readTest,
    // What is lost while a run trains shows at its validations.
    ...(plan.kind === 'forgetting' ? { watch: { text: plan.generalText } } : {}),
    device: plan.device,
  };
}

/** Rows that a draw of `size` a class gives at most. */
export const drawnRows = ({ labels, rows }: Dataset, size: number | null): number =>
  size === null ? rows.train : Math.min(rows.train, size * Math.max(1, labels.length));

/** Steps and validations of a run on a few examples, where the study leaves them open. */
function stepsOnFew(
  given: Asked['plan']['training'],
  training: Plan['training'],
  dataset: Dataset,
  size: number,
): Partial<Plan['training']> {
  if (given.epochs !== undefined || (given.maxSteps ?? null) !== null) return {};
  const perEpoch = Math.ceil(drawnRows(dataset, size) / training.batchSize);
  const maxSteps = Math.max(leastSteps, Math.ceil(training.epochs * perEpoch));
  const validateEverySteps = training.validateEverySteps ?? Math.max(perEpoch, Math.ceil(maxSteps / validations));
  return { maxSteps, validateEverySteps };
}

/** Of the method's own rate, where the study names none. */
const rateFactors = [1 / 3, 1, 3];
/** Learning rates of a method: the study's, or of its own; ascending. */
export const candidates = (options: MethodOptions, rates: readonly number[] | null): number[] =>
  [...new Set(rates ?? ownRates(options))].sort((a, b) => a - b);

function ownRates({ type }: MethodOptions): number[] {
  const rate = listMethods().find((method) => method.type === type)?.learningRate ?? 0.001;
  return rateFactors.map((factor) => Number((rate * factor).toPrecision(3)));
}
