/** The comparison of methods with full fine-tuning: what was measured, and what may be said of it. */
import { devicesInWords } from '../contract/device-words.js';
import { measuresOf, type Comparison, type ComparisonRow } from '../contract/entities.js';
import { measureTable, type Measure } from '../contract/measures.js';
import { rowVariances, type ScoredPair } from './bootstrap.js';
import { baselineOf, type ComparedRun, type Group, groupRuns } from './groups.js';
import { combinedInterval, type Interval, mean, meanWithInterval, variance } from './intervals.js';
import { measureKinds, type MeasureKind, type Sample, sampleOf } from './measures.js';
import type { ComparisonOptions, RunWithRows } from './types.js';
import { type Difference, toldInterval, type Verdict, verdictOn } from './verdict.js';

const positive: Interval = { low: 0, high: Infinity };

/**
 * Compares finished runs of one data set and base model. Runs that differ in their seed only are one row; differences are method - full fine-tuning
 * in points, between runs of one seed on the same test rows. Shares are 0 to 1, sizes bytes; of sizes the largest run's is told.
 */
export async function buildComparison(runs: readonly RunWithRows[], options: ComparisonOptions): Promise<Comparison> {
  const { measure, zone, dataset, model, objective } = options;
  const { groups, notes } = groupRuns(runs);
  const baseline = baselineOf(groups, measure);
  const all = groups.flatMap((group) => group.runs);
  const [first] = (baseline ?? groups[0])?.runs ?? [];
  const sample = first ? sampleOf(first, all, measure) : null;
  const excluded = sample === null ? 0 : all.length - sample.scores.size;
  const kind = measureKinds[measure];
  if (excluded > 0)
    notes.push(
      `${excluded} ${excluded === 1 ? 'run was' : 'runs were'} scored on other test rows and cannot be paired.`,
    );

  const others = groups.filter((group) => group !== baseline);
  const pairs = others.map((group) =>
    baseline === null || sample === null ? [] : pairBySeed(group, baseline, sample),
  );
  const variances = sample === null ? pairs.map(() => 0) : await rowVariances(sample.rows, pairs, options.seed ?? 1);
  const rows = groups.map((group) => {
    if (group === baseline)
      return rowOf(group, true, null, { kind: 'baseline', text: 'the baseline', moreSeeds: null });
    const index = others.indexOf(group);
    const difference =
      sample === null ? null : differenceOf(pairs[index] ?? [], sample.rows, kind, variances[index] ?? 0);
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
  const better = (row: ComparisonRow) =>
    (row[measure]?.mean ?? 0) * (measureTable[measure].better === 'higher' ? 1 : -1);
  rows.sort((a, b) => Number(b.baseline) - Number(a.baseline) || better(b) - better(a));
  const fulls = groups.filter((group) => group.runs[0]?.run.plan.method.type === 'full').length;
  if (fulls > 1) notes.push(`Of ${fulls} settings of full fine-tuning the baseline is the one best on validation.`);
  const single = rows.filter((row) => row.difference?.pairedSeeds === 1).length;
  if (single > 0)
    notes.push(
      `${single} ${single === 1 ? 'difference rests' : 'differences rest'} on one seed: ${single === 1 ? 'its interval covers' : 'their intervals cover'} other test rows, not other seeds.`,
    );
  notes.push(...stageNotes(groups), ...memoryNotes(groups), ...deviceNotes(groups), ...elsewhereNotes(groups));
  return {
    dataset,
    model,
    objective,
    measure,
    zone,
    testRows: sample?.rows ?? 0,
    rows,
    notes,
    method: describeMethod(rows, kind, zone),
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

/** Whose peak memory is an upper bound. */
function memoryNotes(groups: readonly Group[]): string[] {
  const shared = groups.filter(({ runs }) => runs.every(({ result }) => result.sharedProcess === true));
  const names = [...new Set(shared.flatMap(({ runs }) => runs.map(({ run }) => run.methodName)))];
  return names.map(
    (name) => `${name}: its runs shared a process with others of a study; its peak memory is at most what stands here.`,
  );
}

/** Which runs went on on another device than they began on. */
function deviceNotes(groups: readonly Group[]): string[] {
  return groups
    .flatMap(({ runs }) => runs)
    .filter(({ run }) => run.devices)
    .map(
      ({ run }) =>
        `${run.methodName}, ${run.setting}, seed ${run.seed}: trained on ${devicesInWords(run)}; its times and memory are of all of them.`,
    );
}

/** Which rows hold runs of another program, and where these were made. */
function elsewhereNotes(groups: readonly Group[]): string[] {
  return groups.flatMap(({ runs }) => {
    const [first] = runs;
    const elsewhere = first?.result.elsewhere;
    if (!first || !elsewhere) return [];
    const versions = Object.entries(elsewhere.versions).map(([name, version]) => `${name} ${version}`);
    return [
      `${first.run.methodName}, ${first.run.setting}: trained on ${elsewhere.device} (${versions.join(', ')}), on the same rows in the same order. Its times and memory are not this computer's and are left out.`,
    ];
  });
}

function pairBySeed(group: Group, baseline: Group, sample: Sample): ScoredPair[] {
  const bySeed = new Map(baseline.runs.map((run) => [run.run.seed, sample.scores.get(run)]));
  return group.runs.flatMap((run) => {
    const [method, other] = [sample.scores.get(run), bySeed.get(run.run.seed)];
    return method === undefined || other === undefined ? [] : [{ method, baseline: other }];
  });
}

function differenceOf(
  pairs: readonly ScoredPair[],
  rows: number,
  kind: MeasureKind,
  rowVariance: number,
): Difference | null {
  if (pairs.length === 0) return null;
  const differences = pairs.map(({ method, baseline }) => 100 * (method() - baseline()));
  const [middle, seedVariance, seeds] = [mean(differences), variance(differences), differences.length];
  return {
    mean: middle,
    interval: combinedInterval(middle, seedVariance, seeds, rowVariance, rows),
    kind,
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
  /** Null where a run lacks it. */
  const ofMeasure = (measure: Measure) => {
    const values = runs.flatMap(({ test }) => test[measure] ?? []);
    return values.length === runs.length ? meanWithInterval(values, measureTable[measure].bounds) : null;
  };
  /** Null of runs that were trained elsewhere: a group is all of them or none. */
  const here = (value: (run: ComparedRun) => number | null) => {
    const values = runs.flatMap((one) => value(one) ?? []);
    return values.length === runs.length ? values : null;
  };
  const overHere = (value: (run: ComparedRun) => number | null) => {
    const values = here(value);
    return values && meanWithInterval(values, positive);
  };
  const most = (values: readonly number[] | null) => (values ? Math.max(...values) : null);
  const alone = runs.filter((one) => one.result.sharedProcess !== true);
  const { run, result } = first;
  return {
    key,
    type: run.plan.method.type,
    methodName: run.methodName,
    setting: run.setting,
    baseline: isBaseline,
    runs: runs.map((one) => one.run.id),
    seeds: runs.map((one) => one.run.seed),
    ...Object.fromEntries(measuresOf(first.test).map((measure) => [measure, ofMeasure(measure)])),
    loss: over((one) => one.test.loss, positive),
    difference:
      difference === null
        ? null
        : {
            mean: difference.kind.told(difference.mean),
            interval: { ...toldInterval(difference) },
            pairedSeeds: difference.seeds,
          },
    verdict,
    trainableParameters: result.trainableParameters,
    share: result.totalParameters === 0 ? 0 : result.trainableParameters / result.totalParameters,
    ...(result.elsewhere ? { elsewhere: true } : {}),
    secondsPerStep: overHere((one) => one.result.secondsPerStep),
    tokensPerSecond: overHere((one) => one.result.tokensPerSecond),
    // A process that several runs shared held more than each of them needs.
    peakMemoryBytes: result.elsewhere
      ? null
      : Math.max(...(alone.length > 0 ? alone : runs).map((one) => one.result.peakMemoryBytes ?? 0)),
    optimizerBytes: most(here((one) => one.result.optimizerBytes)),
    checkpointBytes: Math.max(...runs.map((one) => one.result.checkpointBytes)),
    trainingSeconds: overHere((one) => one.result.trainingSeconds),
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

function describeMethod(rows: readonly ComparisonRow[], kind: MeasureKind, zone: number): string {
  const compared = rows.filter((row) => row.difference !== null);
  const seeds = [...new Set(compared.map((row) => row.difference?.pairedSeeds ?? 0))].sort((a, b) => a - b);
  const means = 'Scores are means over seeds with 95 % t intervals (none for one seed).';
  if (compared.length === 0) return `${means} There is no difference to tell without a baseline.`;
  const count =
    seeds.length === 1 ? `${seeds[0]} ${seeds[0] === 1 ? 'seed' : 'seeds'}` : `${seeds[0]} to ${seeds.at(-1)} seeds`;
  const told = kind.about === null ? '' : ` ${kind.about}`;
  const adjusted = compared.length === 1 ? '' : ` They are not adjusted for ${compared.length} comparisons.`;
  return `${means} Differences in ${kind.name} are paired by seed and test row (${count}); their 95 % intervals add the variance between seeds and the variance over resampled test rows (bootstrap) and use Student's t, which is wide for few seeds.${adjusted} Zone of equivalence: ${kind.width(zone)}, set before the runs.${told}`;
}
