/** What of a plan transformers, peft and accelerate can train, and why not the rest. */
import { StudioError } from '../../contract/errors.js';
import type { Plan } from '../../contract/plan.js';
import { openModel, searchesWording, type BaseModelInfo } from '../../engine/index.js';
import { peftStart, type TrainedElsewhere } from '../../interchange/index.js';
import { datasets, models, runs } from '../../storage/index.js';
import type { Context } from '../context.js';
import { learnedObjective, plannedObjective } from '../objective.js';
import { namesOf } from '../plan.js';
import { resolvePlan } from '../runs.js';
import { furtherObjectiveSchema } from './format.js';

export type Source = { readonly runId: number } | { readonly plan: unknown };

/** What goes: a checked plan with its model and data, and what trains of it. */
export interface Going {
  readonly plan: Plan;
  readonly modelId: number;
  readonly datasetId: number;
  readonly info: BaseModelInfo;
  readonly trains: TrainedElsewhere;
}

/** The first of these that holds says why it cannot go. */
const hindrances: readonly [(plan: Plan) => boolean, string][] = [
  [({ composition }) => composition !== undefined, 'it is made of finished adapters, which do not go along'],
  [({ refines }) => refines !== undefined, 'it is a further round on a run, which does not go along'],
  [({ method }) => searchesWording(method), 'peft has no search for a wording'],
  [({ verbalizer }) => verbalizer !== null, 'it answers by label words, and the project there trains a head'],
  [({ watch }) => watch !== undefined, "the base's own task is watched on general text, which is measured here only"],
  [
    ({ objective }) => !furtherObjectiveSchema.safeParse(objective).success,
    'the project there learns one label a text, several labels, or a number',
  ],
];

const refused = (plan: Plan, reason: string) =>
  new StudioError(
    'bad-input',
    `${namesOf(plan).methodName} cannot be taken to peft: ${reason}.`,
    'Train it here, or take another method or objective further.',
    { reason },
  );

/** @throws StudioError 'bad-input' with `reason` in its context where it cannot go */
export async function whatGoes(context: Context, projectId: number, from: Source): Promise<Going> {
  const found = 'runId' in from ? await runOf(context, projectId, from.runId) : null;
  const { plan, modelId, datasetId } =
    found ?? (await resolvePlan(context, projectId, 'plan' in from ? from.plan : null));
  const hindrance = hindrances.find(([holds]) => holds(plan));
  if (hindrance) throw refused(plan, hindrance[1]);
  const info = await openModel((await models.getModel(context.database, modelId)).folder);
  const objective = learnedObjective(plan, await datasets.getDataset(context.database, datasetId));
  const trains = peftStart(info, plan.method, plannedObjective(objective));
  if ('reason' in trains) throw refused(plan, trains.reason);
  return { plan, modelId, datasetId, info, trains };
}

async function runOf(context: Context, projectId: number, id: number) {
  const run = await runs.getRun(context.database, id);
  if (run.projectId !== projectId)
    throw new StudioError('bad-input', `Run ${id} belongs to another project.`, 'Choose a run of this project.');
  if ((await runs.initFolderOf(context.database, id)) !== null)
    throw refused(run.plan, 'it starts from an exported folder, which does not go along');
  return run;
}
