/** Further rounds: a finished run goes on, by another method or over another subset of parameters. */
import { rm } from 'node:fs/promises';
import type { BaseModel, Run } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import type { MethodOptions, Plan, RefineBy } from '../contract/plan.js';
import {
  describeMethod,
  EngineError,
  keptMethod,
  mergedConfig,
  openModel,
  planParameters,
  requireTrained,
  stackedOn,
  validateMethod,
  whyNotContinued,
  whyUnmergeable,
  type BaseModelInfo,
  type MethodSpec,
  type ObjectiveSpec,
} from '../engine/index.js';
import { runs } from '../storage/index.js';
import type { TrainTask } from '../trainer/protocol.js';
import { baseFolderOf, resultFolder, withResult } from './bases.js';
import { runFolder, type Context } from './context.js';
import { answersByHead } from './objective.js';
import { requireFinished } from './served.js';

const refuse = (message: string, hint: string, path = 'refines') =>
  new StudioError('bad-input', message, hint, { path });

/** The run that a further one goes on from. Throws StudioError with the reason where none can. */
async function formerRun(context: Context, projectId: number, id: number, model: BaseModel | null): Promise<Run> {
  const run = await runs.getRun(context.database, id);
  if (run.projectId !== projectId)
    throw refuse(`refines: run ${id} belongs to another project.`, 'Choose a run of this project.');
  if (model !== null && run.modelId !== model.id)
    throw refuse(
      `refines: run ${id} stands on ${run.modelName}, not on ${model.name}.`,
      `Set model to "${run.modelName}".`,
      'model',
    );
  return run;
}

interface Way {
  readonly how: RefineBy;
  readonly method: MethodSpec;
  /** What the run stands on. */
  readonly base: BaseModelInfo;
}

/** A way that is possible, or why it is not, as the end of a sentence. */
type Tried = Way | string;

/** The names of what a method adds to a base or trains of it, the head's aside. */
function namesOf(base: BaseModelInfo, method: MethodSpec, objective: ObjectiveSpec): string {
  return planParameters({ model: base, method, objective })
    .filter(({ part, trainable }) => part === 'added' || (part === 'base' && trainable))
    .map(({ name }) => name)
    .sort()
    .join();
}

const sentence = (error: unknown): string => {
  if (!(error instanceof EngineError)) throw error;
  return error.message.replace(/^method(\.[\w.]+)?: /, '').replace(/\.$/, '');
};

/** Merging changes names and shapes of the base where it makes layers wider, or brings a language-model head that the base lacked. */
async function mergedBase(context: Context, former: Run, base: BaseModelInfo): Promise<BaseModelInfo> {
  const wider = Object.keys(mergedConfig(base, former.plan.method)).length > 0;
  return answersByHead(former.plan) && !wider ? base : openModel(await withResult(context, former));
}

async function tried(
  context: Context,
  how: RefineBy,
  { former, base, kept }: { readonly former: Run; readonly base: BaseModelInfo; readonly kept: MethodSpec },
  asked: MethodSpec,
  objective: ObjectiveSpec,
): Promise<Tried> {
  switch (how) {
    case 'merge': {
      const reason = whyUnmergeable(
        base,
        former.plan.method,
        answersByHead(former.plan) ? former.plan.objective : null,
      );
      if (reason !== null) return sentence(new EngineError('bad-input', reason));
      return { how, method: asked, base: await mergedBase(context, former, base) };
    }
    case 'continue': {
      const reason = whyNotContinued(kept, asked);
      if (reason !== null) return reason;
      return namesOf(base, kept, objective) === namesOf(base, asked, objective)
        ? { how, method: asked, base }
        : 'it acts on other modules than before';
    }
    case 'stack':
      try {
        const method = stackedOn(kept, asked);
        planParameters({ model: base, method, objective });
        return { how, method, base };
      } catch (error) {
        return sentence(error);
      }
  }
}

const failing: Readonly<Record<RefineBy, string>> = {
  merge: 'it does not merge into the weights',
  continue: 'it does not go on by itself',
  stack: 'it cannot stay frozen below',
};

/** How a further round goes on from a finished run. Throws StudioError 'bad-input' with every reason where it cannot. */
export async function wayOn(
  context: Context,
  former: Run,
  asked: MethodOptions,
  wanted: RefineBy | undefined,
  objective: ObjectiveSpec,
): Promise<Way> {
  requireFinished(former);
  requireTrained(former.plan.method, `Run ${former.id}`);
  const base = await openModel(await baseFolderOf(context, former));
  const kept = keptMethod(former.plan.method);
  const method = validateMethod(asked);
  const reasons: string[] = [];
  for (const how of wanted ? [wanted] : (['merge', 'continue', 'stack'] as const)) {
    const way = await tried(context, how, { former, base, kept }, method, objective);
    if (typeof way !== 'string') return way;
    reasons.push(`${failing[how]} (${way})`);
  }
  throw refuse(
    `refines: run ${former.id} (${describeMethod(former.plan.method)}) cannot be gone on from by ${describeMethod(method)}: ${reasons.join('; ')}.`,
    wanted === undefined
      ? `Go on by the same method with the same options: ${JSON.stringify(kept)}.`
      : 'Leave refineBy out, so that a way is chosen that is possible.',
    'refines',
  );
}

/** Why what a method trained cannot stay frozen below a new head, as the end of a sentence; null: it can. */
export function whyNotBelowHead(base: BaseModelInfo, trained: MethodOptions, objective: ObjectiveSpec): string | null {
  const reason = whyUnmergeable(base, validateMethod(trained), objective.type);
  if (reason === null) return null;
  try {
    const method = stackedOn(keptMethod(validateMethod(trained)), { type: 'head' });
    planParameters({ model: base, method, objective });
    return null;
  } catch (error) {
    return sentence(error);
  }
}

/** The method that a plan asks to train: of a plan that was looked up before, the one on top. */
export function askedMethod({ method, refineBy }: Pick<Plan, 'method' | 'refineBy'>): MethodOptions {
  if (refineBy !== 'stack' || method.type !== 'stack') return method;
  const { top } = method;
  const isMethod = (value: unknown): value is MethodOptions =>
    typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
  return isMethod(top) ? top : { type: 'head' };
}

/** A plan with the way on from the run that it refines, and the base that it stands on. Throws StudioError 'bad-input', 'not-found' or 'conflict'. */
export async function refinedPlan(
  context: Context,
  projectId: number,
  plan: Plan & { readonly refines: number },
  model: BaseModel,
  objective: ObjectiveSpec,
): Promise<{ readonly plan: Plan; readonly base: BaseModelInfo }> {
  if (plan.composition)
    throw refuse(
      'refines: a composition is made of finished runs and goes on from none.',
      'Compose first, then refine the run that comes of it.',
    );
  const former = await formerRun(context, projectId, plan.refines, model);
  const { how, method, base } = await wayOn(context, former, askedMethod(plan), plan.refineBy, objective);
  return { plan: { ...plan, method: validateMethod(method), refineBy: how }, base };
}

/** The refinement as the trainer takes it; nothing for other plans. */
export async function refinementOf(
  context: Context,
  { refines, refineBy }: Pick<Plan, 'refines' | 'refineBy'>,
): Promise<Pick<TrainTask, 'refinement'>> {
  if (refines === undefined || refineBy === undefined) return {};
  const { plan } = await runs.getRun(context.database, refines);
  return {
    refinement: {
      name: `run ${refines}`,
      folder: runFolder(context.home, refines),
      how: refineBy,
      method: keptMethod(plan.method),
    },
  };
}

/** The runs that go on from one. */
export async function roundsOn(context: Context, { id, projectId }: Run): Promise<Run[]> {
  return (await runs.listRuns(context.database, projectId)).filter(({ plan }) => plan.refines === id).reverse();
}

/** What was made of a run for further rounds goes with the last of these. */
export async function forgetResult(context: Context, { plan }: Pick<Run, 'plan'>): Promise<void> {
  if (plan.refines === undefined) return;
  const former = await runs.getRun(context.database, plan.refines);
  if ((await roundsOn(context, former)).length > 0) return;
  await rm(resultFolder(context, former.id), { recursive: true, force: true });
}

/** Throws StudioError 'conflict' for a run that others stand on. */
export async function requireUnrefined(context: Context, run: Run): Promise<void> {
  const blocked = await whyKept(context, run);
  if (blocked !== null)
    throw new StudioError('conflict', blocked, 'Delete those rounds first, the last one first.', { run: run.id });
}

/** Why a run has to stay: others go on from it, and would be wrong without it. */
export async function whyKept(context: Context, run: Run): Promise<string | null> {
  const rounds = await roundsOn(context, run);
  if (rounds.length === 0) return null;
  const names = rounds.map(({ id }) => id);
  return names.length === 1
    ? `Run ${names[0]} goes on from it and stands on its result.`
    : `Runs ${names.slice(0, -1).join(', ')} and ${names.at(-1)} go on from it and stand on its result.`;
}
