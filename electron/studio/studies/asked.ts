/** A study as given, with defaults filled in and what it names looked up. */
import type { Dataset } from '../../contract/entities.js';
import { StudioError } from '../../contract/errors.js';
import { objectiveTable, taskTable } from '../../contract/objectives.js';
import type { MethodOptions } from '../../contract/plan.js';
import { openModel, type BaseModelInfo } from '../../engine/index.js';
import type { Context } from '../context.js';
import { objectiveOn } from '../objective.js';
import { namesOf, parseStudy } from '../plan.js';
import { whyNotBelowHead } from '../refinements.js';
import { datasetNamed, modelNamed, resolvePlan } from '../runs.js';
import { kindOf } from './kinds/index.js';
import type { Asked, StudyMethod } from './kinds/kind.js';
import { candidates, planOf } from './plans.js';

/** Keys of the training section that a study sets itself. */
const ownKeys = { seed: 'seeds', learningRate: 'learningRates', examplesPerClass: 'examplesPerClass' } as const;

/** @throws StudioError naming the key that is wrong or the thing that is missing */
export async function askedOf(context: Context, projectId: number, value: unknown): Promise<Asked> {
  const plan = parseStudy(value);
  const kind = kindOf(plan.kind);
  for (const [key, instead] of Object.entries(ownKeys))
    if (key in plan.training)
      throw new StudioError('bad-input', `training.${key}: a study sets it itself.`, `Give "${instead}" instead.`, {
        path: `training.${key}`,
      });
  requireDistinct('data', plan.data);
  requireDistinct('seeds', plan.seeds);
  requireDistinct('examplesPerClass', plan.examplesPerClass);
  requireDistinct(
    'methods',
    plan.methods.map((options) => JSON.stringify(options)),
  );
  const model = await modelNamed(context, plan.model);
  const datasets: Dataset[] = [];
  for (const name of plan.data) datasets.push(await datasetNamed(context, projectId, name));
  if (datasets.length < kind.leastData)
    throw new StudioError('bad-input', `data: a study of ${kind.kind} takes ${kind.leastData} data sets.`, null, {
      path: 'data',
    });
  const [first] = datasets;
  if (!first) throw new StudioError('bad-input', 'data: a study needs a data set.', null, { path: 'data' });
  const other = datasets.find(({ task }) => task !== first.task);
  if (other)
    throw new StudioError(
      'bad-input',
      `data: "${first.name}" and "${other.name}" are of different tasks, whose scores cannot be put together.`,
      'Make a study of each task.',
      { path: 'data' },
    );
  const [measure] = objectiveTable[taskTable[first.task].objective].measures;
  const asked: Asked = {
    projectId,
    plan: { ...plan, model: model.name, seeds: plan.seeds, name: plan.name.trim() },
    model,
    datasets,
    methods: methodsOf(plan.methods, plan.learningRates, kind.carries ? await openModel(model.folder) : null, first),
    measure,
  };
  kind.check(asked);
  return asked;
}

/** Everything that its runs will need: a study that cannot run to its end is refused before its first run. @throws StudioError */
export async function requirePossible(context: Context, asked: Asked): Promise<void> {
  const { checkBase } = kindOf(asked.plan.kind);
  if (checkBase) checkBase(await openModel(asked.model.folder));
  for (const dataset of asked.datasets)
    for (const method of asked.methods)
      await resolvePlan(
        context,
        asked.projectId,
        planOf(asked, { dataset, method, size: null, seed: 1, learningRate: 0.001, readTest: true }),
      );
}

function requireDistinct(path: string, values: readonly (string | number)[]): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined)
    throw new StudioError('bad-input', `${path}: ${twice} stands there twice.`, 'Leave one out.', { path });
}

/** Full fine-tuning first; as the study has it, or by its defaults. */
function methodsOf(
  given: readonly MethodOptions[],
  rates: readonly number[] | null,
  carried: BaseModelInfo | null,
  first: Dataset,
): StudyMethod[] {
  const full = given.find(({ type }) => type === 'full') ?? { type: 'full' };
  return [full, ...given.filter((options) => options !== full)].map((options, index) => ({
    options,
    ...namesOf({ method: options, verbalizer: null }),
    baseline: index === 0,
    learningRates: candidates(options, rates),
    notBelowHead: carried && whyNotBelowHead(carried, options, objectiveOn(carried, first, false)),
  }));
}
