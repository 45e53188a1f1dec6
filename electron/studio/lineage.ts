/** Runs that go on from one another, and what each round brought. */
import type { Handlers } from '../contract/calls.js';
import type { Round, Run } from '../contract/entities.js';
import { objectiveTable } from '../contract/objectives.js';
import { problemOf } from '../contract/problem-of.js';
import { testGain, validationGain } from '../evaluation/index.js';
import { datasets, metrics, models, runs } from '../storage/index.js';
import type { Context } from './context.js';
import { objectiveOn } from './objective.js';
import { wayOn } from './refinements.js';

/** All that go on from one another with `run` among them, former ones before later ones. */
function familyOf(run: Run, all: readonly Run[]): Run[] {
  const byId = new Map(all.map((one) => [one.id, one]));
  let root = run;
  for (let { refines } = root.plan; refines !== undefined; { refines } = root.plan) {
    const former = byId.get(refines);
    if (!former) break;
    root = former;
  }
  const family = [root];
  for (const one of family)
    family.push(...all.filter(({ plan }) => plan.refines === one.id).sort((a, b) => a.id - b.id));
  return family;
}

async function roundOf(context: Context, run: Run, former: Run | null): Promise<Round> {
  const { refines = null, refineBy = null } = run.plan;
  const round = { id: run.id, refines, how: refineBy, validation: null, test: null, reason: null };
  if (former === null || run.state !== 'finished') return round;
  if (run.datasetId !== former.datasetId || run.plan.objective !== former.plan.objective)
    return { ...round, reason: run.datasetId === former.datasetId ? 'learns something else' : 'on other data' };
  const { objective } = run.plan;
  const [measure] = objectiveTable[objective].measures;
  const withRows = async (one: Run) => ({
    run: one,
    rows: await metrics.readOutcomes(context.database, one.id, objective),
  });
  const test = testGain(await withRows(former), await withRows(run), measure);
  const validation = validationGain(former.result?.validation, run.result?.validation, measure);
  return { ...round, test, validation, reason: (test ?? validation) ? null : 'no rows to measure on' };
}

export function refinementCalls(context: Context): Pick<Handlers, 'refinements.check' | 'refinements.lineage'> {
  const { database } = context;
  return {
    'refinements.check': async ({ id, method, datasetId, verbalizer, by }) => {
      try {
        const run = await runs.getRun(database, id);
        const { architecture } = await models.getModel(database, run.modelId);
        const dataset = await datasets.getDataset(database, datasetId ?? run.datasetId);
        const objective = objectiveOn({ architecture }, dataset, verbalizer);
        const { how } = await wayOn(context, run, method, by ?? undefined, objective);
        return { how, reason: null, hint: null };
      } catch (error) {
        const { code, message, hint } = problemOf(error);
        if (code === 'internal') throw error;
        return { how: null, reason: message, hint };
      }
    },
    'refinements.lineage': async ({ id }) => {
      const run = await runs.getRun(database, id);
      const family = familyOf(run, await runs.listRuns(database, run.projectId));
      const byId = new Map(family.map((one) => [one.id, one]));
      const rounds: Round[] = [];
      for (const one of family) rounds.push(await roundOf(context, one, byId.get(one.plan.refines ?? 0) ?? null));
      return rounds;
    },
  };
}
