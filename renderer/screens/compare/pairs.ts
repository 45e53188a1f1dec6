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
    return {
      key,
      datasetId: first.datasetId,
      modelId: first.modelId,
      title: `${first.datasetName}, ${first.modelName}`,
      runs: group,
    };
  });
}

/** The run's plan anew: by the names of its model and data, since a plan from the command line may name a folder that this window was not given. */
const planOf = (run: Run, seed: number): Plan => ({
  ...run.plan,
  model: run.modelName,
  data: run.datasetName,
  training: { ...run.plan.training, seed },
});

const sameMethod = (a: Run, b: Run): boolean =>
  a.datasetId === b.datasetId &&
  a.modelId === b.modelId &&
  JSON.stringify(a.plan.method) === JSON.stringify(b.plan.method);

/**
 * Plans that decide what cannot be told yet. Differences are paired by seed, so an undecided method first takes seeds that the baseline has and it lacks,
 * then new ones, which the baseline runs too. What is queued or running already is counted and not queued again. `runs` come newest first.
 */
export function plansForMoreSeeds(
  rows: readonly ComparisonRow[],
  runs: readonly Run[],
): { plans: Plan[]; seeds: number; methods: string[] } {
  const template = (row: ComparisonRow) => runs.find((run) => row.runs.includes(run.id)) ?? null;
  const coming = (of: Run) =>
    runs
      .filter(
        (run) => ['queued', 'preparing', 'running', 'paused', 'interrupted'].includes(run.state) && sameMethod(run, of),
      )
      .map((run) => run.seed);
  const baseline = rows.find((row) => row.baseline);
  const baselineRun = baseline ? template(baseline) : null;
  const baselineSeeds = new Set(baseline && baselineRun ? [...baseline.seeds, ...coming(baselineRun)] : []);
  const open = rows.flatMap((row) => {
    const run = row.verdict.kind === 'undecided' ? template(row) : null;
    const seeds = run ? [...row.seeds, ...coming(run)] : [];
    const missing = (row.verdict.moreSeeds ?? 0) - (seeds.length - row.seeds.length);
    return run && missing > 0 ? [{ row, run, seeds, missing }] : [];
  });
  const used = [...baselineSeeds, ...open.flatMap(({ seeds }) => seeds)];
  const fresh = (count: number) => Array.from({ length: count }, (_, i) => Math.max(0, ...used) + 1 + i);
  const plans: Plan[] = [];
  const forBaseline = new Set<number>();
  for (const { run, seeds, missing } of open) {
    const shared = [...baselineSeeds]
      .filter((seed) => !seeds.includes(seed))
      .sort((a, b) => a - b)
      .slice(0, missing);
    for (const seed of [...shared, ...fresh(missing - shared.length)]) {
      plans.push(planOf(run, seed));
      if (!baselineSeeds.has(seed)) forBaseline.add(seed);
    }
  }
  const first = baselineRun ? [...forBaseline].map((seed) => planOf(baselineRun, seed)) : [];
  return {
    plans: [...first, ...plans],
    seeds: Math.max(0, ...open.map(({ missing }) => missing)),
    methods: open.map(({ row }) => row.methodName),
  };
}

/** Full fine-tuning on the data, model and seeds of the runs that lack it, at its own suggested rate. */
export function plansForBaseline(runs: readonly Run[], full: MethodInfo): Plan[] {
  const bySeed = new Map<number, Run>();
  for (const run of runs) if (run.plan.method.type !== full.type && !bySeed.has(run.seed)) bySeed.set(run.seed, run);
  return [...bySeed.values()]
    .sort((a, b) => a.seed - b.seed)
    .map((run) => planOf(run, run.seed))
    .map((plan) => ({
      ...plan,
      method: full.defaults,
      training: { ...plan.training, learningRate: full.learningRate },
    }));
}

/** Name of a row in plots: the setting joins in where a method stands with several. */
export function rowName(row: ComparisonRow, rows: readonly ComparisonRow[]): string {
  return rows.filter((other) => other.methodName === row.methodName).length > 1
    ? `${row.methodName} ${row.setting}`
    : row.methodName;
}

export interface Verdict {
  readonly kind: string;
  readonly texts: readonly string[];
}
/** Sentences of the same kind together, in the order good, worse, undecided. */
export function groupSentences(sentences: Comparison['sentences']): Verdict[] {
  const order = ['within', 'better', 'worse', 'undecided', 'no-baseline'];
  const groups = new Map<string, string[]>();
  for (const { kind, text } of sentences) groups.set(kind, [...(groups.get(kind) ?? []), text]);
  const rank = (kind: string) => (order.includes(kind) ? order.indexOf(kind) : order.length);
  return [...groups].map(([kind, texts]) => ({ kind, texts })).sort((a, b) => rank(a.kind) - rank(b.kind));
}
