/** The comparison of methods with full fine-tuning: what was measured, and what may be said of it. */
import type { Comparison, ComparisonRow } from '../contract/entities.js';
import { type Measure, type PairedPredictions, rowVariances } from './bootstrap.js';
import { baselineOf, type ComparedRun, type Group, groupRuns } from './groups.js';
import { combinedInterval, type Interval, mean, meanWithInterval, variance } from './intervals.js';
import { classesOf, ClassCounts } from './scores.js';
import type { ComparisonOptions, RunWithPredictions, TestPredictions } from './types.js';
import { type Difference, type Verdict, verdictOn } from './verdict.js';

const share: Interval = { low: 0, high: 1 };
const positive: Interval = { low: 0, high: Infinity };
const measureNames: { readonly [M in Measure]: string } = { macroF1: 'macro F1', accuracy: 'accuracy' };

/**
 * Compares finished runs of one data set and base model. Runs that differ in their seed only are one row; differences are method - full fine-tuning
 * in points, between runs of one seed on the same test rows. Shares are 0 to 1, sizes bytes; of sizes the largest run's is told.
 */
export async function buildComparison(
  runs: readonly RunWithPredictions[],
  options: ComparisonOptions,
): Promise<Comparison> {
  const { measure, zone, dataset, model } = options;
  const { groups, notes } = groupRuns(runs);
  const baseline = baselineOf(groups, measure);
  const { sample, excluded } = commonRows(groups, baseline);
  if (excluded > 0)
    notes.push(
      `${excluded} ${excluded === 1 ? 'run was' : 'runs were'} scored on other test rows and cannot be paired.`,
    );

  const others = groups.filter((group) => group !== baseline);
  const pairs = others.map((group) =>
    baseline === null || sample === null ? [] : pairBySeed(group, baseline, sample),
  );
  const variances =
    sample === null
      ? pairs.map(() => 0)
      : await rowVariances(sample.labels, pairs, sample.classes, measure, options.seed ?? 1);
  const rows = groups.map((group) => {
    if (group === baseline)
      return rowOf(group, true, null, { kind: 'baseline', text: 'the baseline', moreSeeds: null });
    const index = others.indexOf(group);
    const difference =
      sample === null ? null : differenceOf(pairs[index] ?? [], sample, measure, variances[index] ?? 0);
    const verdict: Verdict =
      difference !== null
        ? verdictOn(difference, zone)
        : {
            kind: 'no-baseline',
            text:
              baseline === null
                ? 'no baseline: full fine-tuning has not been run'
                : 'no baseline: full fine-tuning has no run of the same seed',
            moreSeeds: null,
          };
    return rowOf(group, false, difference, verdict);
  });
  rows.sort((a, b) => Number(b.baseline) - Number(a.baseline) || b[measure].mean - a[measure].mean);
  const fulls = groups.filter((group) => group.runs[0]?.run.plan.method.type === 'full').length;
  if (fulls > 1) notes.push(`Of ${fulls} settings of full fine-tuning the baseline is the one best on validation.`);
  const single = rows.filter((row) => row.difference?.pairedSeeds === 1).length;
  if (single > 0)
    notes.push(
      `${single} ${single === 1 ? 'difference rests' : 'differences rest'} on one seed: ${single === 1 ? 'its interval covers' : 'their intervals cover'} other test rows, not other seeds.`,
    );
  notes.push(...stageNotes(groups));
  return {
    dataset,
    model,
    measure,
    zone,
    testRows: sample?.labels.length ?? 0,
    rows,
    notes,
    method: describeMethod(rows, measure, zone),
    sentences: rows.filter((row) => !row.baseline).map((row) => ({ kind: row.verdict.kind, text: sentence(row) })),
  };
}

/** How what differs from stage to stage was counted. */
function stageNotes(groups: readonly Group[]): string[] {
  const staged = groups.flatMap(({ runs }) => runs).filter(({ result }) => (result.stages ?? 1) > 1);
  const names = [...new Set(staged.map(({ run }) => run.methodName))];
  return names.map(
    (name) =>
      `${name} trains in stages: its trained parameters and optimizer are those of the largest stage that ran, its seconds a step the mean of all.`,
  );
}

/** The test rows that runs are paired on: those of the baseline (of the first group where there is none). */
interface Sample {
  readonly ids: readonly number[];
  readonly labels: Int32Array;
  readonly classes: number;
  /** Predictions in the order of `ids`, of every run with these very rows. */
  readonly predicted: ReadonlyMap<ComparedRun, Int32Array>;
}

function commonRows(groups: readonly Group[], baseline: Group | null): { sample: Sample | null; excluded: number } {
  const first = (baseline ?? groups[0])?.runs[0];
  if (first === undefined) return { sample: null, excluded: 0 };
  const order = sortedById(first.predictions);
  const ids = order.map((place) => first.predictions.rowIds[place] ?? 0);
  const labels = Int32Array.from(order, (place) => first.predictions.labels[place] ?? 0);
  const predicted = new Map<ComparedRun, Int32Array>();
  const all = groups.flatMap((group) => group.runs);
  for (const run of all) {
    const own = sortedById(run.predictions);
    const same =
      own.length === ids.length &&
      own.every(
        (place, index) =>
          run.predictions.rowIds[place] === ids[index] && run.predictions.labels[place] === labels[index],
      );
    if (same)
      predicted.set(
        run,
        Int32Array.from(own, (place) => run.predictions.predicted[place] ?? 0),
      );
  }
  return {
    sample: { ids, labels, classes: classesOf(labels, ...predicted.values()), predicted },
    excluded: all.length - predicted.size,
  };
}

const sortedById = ({ rowIds }: TestPredictions) =>
  Array.from({ length: rowIds.length }, (_, place) => place).sort((a, b) => (rowIds[a] ?? 0) - (rowIds[b] ?? 0));

function pairBySeed(group: Group, baseline: Group, sample: Sample): PairedPredictions[] {
  const bySeed = new Map(baseline.runs.map((run) => [run.run.seed, sample.predicted.get(run)]));
  return group.runs.flatMap((run) => {
    const [method, other] = [sample.predicted.get(run), bySeed.get(run.run.seed)];
    return method === undefined || other === undefined ? [] : [{ method, baseline: other }];
  });
}

function differenceOf(
  pairs: readonly PairedPredictions[],
  sample: Sample,
  measure: Measure,
  rowVariance: number,
): Difference | null {
  if (pairs.length === 0) return null;
  const rows = sample.labels.length;
  const counts = new ClassCounts(sample.classes);
  const score = (predicted: ArrayLike<number>) => {
    counts.clear();
    sample.labels.forEach((label, row) => counts.add(label, predicted[row] ?? 0, 1));
    return counts[measure]();
  };
  const differences = pairs.map(({ method, baseline }) => 100 * (score(method) - score(baseline)));
  const [middle, seedVariance, seeds] = [mean(differences), variance(differences), differences.length];
  return {
    mean: middle,
    interval: combinedInterval(middle, seedVariance, seeds, rowVariance, rows),
    seeds,
    seedVariance,
    rowVariance,
    rows,
  };
}

function rowOf(
  { key, runs }: Group,
  isBaseline: boolean,
  difference: Difference | null,
  verdict: Verdict,
): ComparisonRow {
  const [first] = runs;
  if (first === undefined) throw new RangeError('a group has at least one run');
  const over = (value: (run: ComparedRun) => number, bounds: Interval) => meanWithInterval(runs.map(value), bounds);
  const most = (value: (run: ComparedRun) => number) => Math.max(...runs.map(value));
  const { run, result } = first;
  return {
    key,
    type: run.plan.method.type,
    methodName: run.methodName,
    setting: run.setting,
    baseline: isBaseline,
    runs: runs.map((one) => one.run.id),
    seeds: runs.map((one) => one.run.seed),
    accuracy: over((one) => one.test.accuracy, share),
    macroF1: over((one) => one.test.macroF1, share),
    loss: over((one) => one.test.loss, positive),
    difference:
      difference === null
        ? null
        : { mean: difference.mean, interval: { ...difference.interval }, pairedSeeds: difference.seeds },
    verdict,
    trainableParameters: result.trainableParameters,
    share: result.totalParameters === 0 ? 0 : result.trainableParameters / result.totalParameters,
    secondsPerStep: over((one) => one.result.secondsPerStep, positive),
    tokensPerSecond: over((one) => one.result.tokensPerSecond, positive),
    peakMemoryBytes: most((one) => one.result.peakMemoryBytes),
    optimizerBytes: most((one) => one.result.optimizerBytes),
    checkpointBytes: most((one) => one.result.checkpointBytes),
    trainingSeconds: over((one) => one.result.trainingSeconds, positive),
  };
}

/** "LoRA (r 8) is within 1 point of full fine-tuning, training 0.65 % of the parameters." */
function sentence({ methodName, setting, verdict, share: part }: ComparisonRow): string {
  const name = setting === '' ? methodName : `${methodName} (${setting})`;
  const trained = `training ${Number((part * 100).toPrecision(2))} % of the parameters`;
  switch (verdict.kind) {
    case 'baseline':
    case 'within':
      return `${name} is ${verdict.text}, ${trained}.`;
    case 'worse':
    case 'better':
      return `${name} against full fine-tuning: ${verdict.text}, ${trained}.`;
    case 'undecided':
    case 'no-baseline':
      return `${name}: ${verdict.text}.`;
  }
}

function describeMethod(rows: readonly ComparisonRow[], measure: Measure, zone: number): string {
  const compared = rows.filter((row) => row.difference !== null);
  const seeds = [...new Set(compared.map((row) => row.difference?.pairedSeeds ?? 0))].sort((a, b) => a - b);
  const means = 'Scores are means over seeds with 95 % t intervals (none for one seed).';
  if (compared.length === 0) return `${means} There is no difference to tell without a baseline.`;
  const count =
    seeds.length === 1 ? `${seeds[0]} ${seeds[0] === 1 ? 'seed' : 'seeds'}` : `${seeds[0]} to ${seeds.at(-1)} seeds`;
  const adjusted = compared.length === 1 ? '' : ` They are not adjusted for ${compared.length} comparisons.`;
  return `${means} Differences in ${measureNames[measure]} are paired by seed and test row (${count}); their 95 % intervals add the variance between seeds and the variance over resampled test rows (bootstrap) and use Student's t, which is wide for few seeds.${adjusted} Zone of equivalence: ${zone} ${zone === 1 ? 'point' : 'points'}, set before the runs.`;
}
