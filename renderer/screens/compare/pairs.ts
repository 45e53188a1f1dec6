/** Which runs can be compared with each other, and what more runs a verdict asks for. Pure functions. */
import type { Comparison, ComparisonRow, MethodInfo, Plan, Run } from '../../../electron/contract/index.js';

/** Runs on the same data with the same base model. */
export interface Pairing {
  readonly key: string;
  readonly datasetId: number;
  readonly modelId: number;
  readonly title: string;
  readonly runs: readonly Run[];
}

/** Finished runs grouped by data set and base model; the group of the newest run first. `runs` come newest first. */
export function pairings(runs: readonly Run[]): Pairing[] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    if (run.state !== 'finished' || run.result?.test === null || run.result === null) continue;
    const key = `${run.datasetId}/${run.modelId}`;
    const group = groups.get(key);
    if (group) group.push(run);
    else groups.set(key, [run]);
  }
  return [...groups].map(([key, group]) => {
    const first = group[0] as Run; // a group is made with its first run
    return { key, datasetId: first.datasetId, modelId: first.modelId, title: `${first.datasetName}, ${first.modelName}`, runs: group };
  });
}

/** The run's plan anew: by the names of its model and data, since a plan from the command line may name a folder that this window was not given. */
const planOf = (run: Run, seed: number): Plan => ({ ...run.plan, model: run.modelName, data: run.datasetName, training: { ...run.plan.training, seed } });

/** Seeds from the smallest upward that are not in `used`. */
function freshSeeds(used: readonly number[], count: number): number[] {
  const seeds: number[] = [];
  for (let seed = Math.max(0, ...used) + 1; seeds.length < count; seed++) seeds.push(seed);
  return seeds;
}

/**
 * Plans that decide what cannot be told yet: `moreSeeds` new seeds for each undecided method, and the baseline on the same seeds,
 * since differences are paired by seed.
 */
export function plansForMoreSeeds(rows: readonly ComparisonRow[], runs: readonly Run[]): { plans: Plan[]; seeds: number[]; methods: string[] } {
  const open = rows.filter((row) => row.verdict.kind === 'undecided' && (row.verdict.moreSeeds ?? 0) > 0);
  const baseline = rows.find((row) => row.baseline);
  const involved = baseline ? [baseline, ...open] : open;
  const seeds = freshSeeds(involved.flatMap((row) => row.seeds), Math.max(0, ...open.map((row) => row.verdict.moreSeeds ?? 0)));
  const plans = involved.flatMap((row) => {
    const run = runs.find((r) => row.runs.includes(r.id));
    const wanted = row.baseline ? seeds : seeds.slice(0, row.verdict.moreSeeds ?? 0);
    return run ? wanted.map((seed) => planOf(run, seed)) : [];
  });
  return { plans, seeds, methods: open.map((row) => row.methodName) };
}

/** Full fine-tuning on the data, model and seeds of the runs that lack it, at its own suggested rate. */
export function plansForBaseline(runs: readonly Run[], full: MethodInfo): Plan[] {
  const bySeed = new Map<number, Run>();
  for (const run of runs) if (run.plan.method.type !== full.type && !bySeed.has(run.seed)) bySeed.set(run.seed, run);
  return [...bySeed.values()].sort((a, b) => a.seed - b.seed).map((run) => planOf(run, run.seed)).map((plan) => ({ ...plan, method: full.defaults, training: { ...plan.training, learningRate: full.learningRate } }));
}

/** Name of a row in plots: the setting joins in where a method stands with several. */
export function rowName(row: ComparisonRow, rows: readonly ComparisonRow[]): string {
  return rows.filter((other) => other.methodName === row.methodName).length > 1 ? `${row.methodName} ${row.setting}` : row.methodName;
}

export interface Verdict { readonly kind: string; readonly texts: readonly string[] }
/** Sentences of the same kind together, in the order good, worse, undecided. */
export function groupSentences(sentences: Comparison['sentences']): Verdict[] {
  const order = ['within', 'better', 'worse', 'undecided', 'no-baseline'];
  const groups = new Map<string, string[]>();
  for (const { kind, text } of sentences) groups.set(kind, [...(groups.get(kind) ?? []), text]);
  const rank = (kind: string) => (order.includes(kind) ? order.indexOf(kind) : order.length);
  return [...groups].map(([kind, texts]) => ({ kind, texts })).sort((a, b) => rank(a.kind) - rank(b.kind));
}
