/** Differences from the baseline, judged together: better, worse, equal, or not told, in words that claim no more than the intervals show. */
import tCdf from '@stdlib/stats-base-dists-t-cdf';
import { intervalAt, type SeedMean } from './hierarchical.js';
import { holm } from './holm.js';
import { confidence, type Interval } from './intervals.js';
import type { MeasureKind } from './measures.js';
import { apart } from './verdict.js';

export type GapDecision = 'better' | 'worse' | 'equal' | 'undecided';

/** A difference that was judged. Differences and intervals are as they are told: points, of perplexity percent of it. */
export interface JudgedGap {
  readonly mean: number;
  /** At the confidence that Holm's correction leaves this comparison. */
  readonly interval: Interval;
  readonly confidence: number;
  /** Of no difference, adjusted. */
  readonly p: number;
  /** Of a difference of the zone or more, adjusted: the larger of the two one-sided ones. */
  readonly equivalenceP: number;
  /** Inside the zone if and only if equivalence may be claimed; null for one seed, which shows no spread between seeds. */
  readonly equivalenceInterval: Interval | null;
  readonly equivalenceConfidence: number;
  readonly decision: GapDecision;
  /** What follows "LoRA is": "worse than full fine-tuning by 2.1 to 4.0 points". */
  readonly text: string;
  readonly seeds: number;
}

const alpha = 1 - confidence;

/** P(T > t) of Student's t; the lower tail of its mirror, which keeps small numbers exact. */
const above = (value: number, error: number, degrees: number): number => tCdf(-value / error, degrees);

/**
 * Judges differences from one baseline (in hundredths of a score) as one family.
 *
 * A difference is claimed by a two-sided t test, equivalence by two one-sided t tests at the ends of the zone (Schuirmann 1987, "A
 * comparison of the two one-sided tests procedure and the power approach"): not by the absence of a significant difference. Each of
 * the two families is corrected by Holm's procedure at 5 %. The intervals are those of the very tests: at 1 - level for the
 * difference, at 1 - 2 · level for equivalence, so that a claim stands if and only if its interval excludes 0, or lies inside the zone.
 * @param zone half-width of what counts as equal, as it is told
 */
export function judgeGaps(gaps: readonly SeedMean[], kind: MeasureKind, zone: number): JudgedGap[] {
  const [low, high] = [kind.untold(-zone), kind.untold(zone)];
  const differ = holm(
    gaps.map(({ mean, error, degrees }) => (mean === 0 ? 1 : Math.min(1, 2 * above(Math.abs(mean), error, degrees)))),
    alpha,
  );
  const equal = holm(
    gaps.map(({ mean, error, degrees, seeds }) =>
      seeds < 2 ? 1 : Math.max(above(mean - low, error, degrees), above(high - mean, error, degrees)),
    ),
    alpha,
  );
  // Two shares are 100 points apart at most, however wide the t interval of two seeds.
  const most = kind.unit === 'points' ? 100 : Infinity;
  const told = (interval: Interval): Interval => ({
    low: Math.max(-most, kind.told(interval.low)),
    high: Math.min(most, kind.told(interval.high)),
  });
  return gaps.map((gap, index) => {
    const [difference, equivalence] = [differ[index], equal[index]];
    if (!difference || !equivalence) throw new RangeError('a test for each difference');
    const interval = told(intervalAt(gap, 1 - difference.level));
    const decision: GapDecision = equivalence.claimed
      ? 'equal'
      : difference.claimed
        ? gap.mean > 0
          ? 'better'
          : 'worse'
        : 'undecided';
    const judged = {
      mean: kind.told(gap.mean),
      interval,
      confidence: 1 - difference.level,
      p: difference.p,
      equivalenceP: equivalence.p,
      equivalenceInterval: gap.seeds < 2 ? null : told(intervalAt(gap, 1 - 2 * equivalence.level)),
      equivalenceConfidence: 1 - 2 * equivalence.level,
      decision,
      seeds: gap.seeds,
    };
    return { ...judged, text: inWords(judged, kind, zone) };
  });
}

type Unworded = Omit<JudgedGap, 'text'>;

function inWords(
  { decision, interval, equivalenceInterval, seeds }: Unworded,
  kind: MeasureKind,
  zone: number,
): string {
  const oneSeed = seeds < 2 ? ' on this one seed' : '';
  switch (decision) {
    case 'equal': {
      const { low, high } = equivalenceInterval ?? interval;
      return `within ${kind.width(zone)} of ${kind.baseline} (${range(low, high, kind.unit)})`;
    }
    case 'better':
    case 'worse':
      return `${apart(decision, interval.low, interval.high, kind.unit).replace(decision, `${decision} than ${kind.baseline}`)}${oneSeed}`;
    case 'undecided':
      return `not told apart from ${kind.baseline}, nor shown to equal it: the difference may be ${range(interval.low, interval.high, kind.unit)}${oneSeed}`;
  }
}

/** "−0.4 to 0.7 points", rounded outwards. */
function range(low: number, high: number, unit: string): string {
  const down = Math.floor(low * 10 + 1e-9) / 10;
  const up = Math.ceil(high * 10 - 1e-9) / 10;
  const signed = (value: number) => (value < 0 ? `−${(-value).toFixed(1)}` : value.toFixed(1));
  return `${signed(down)} to ${signed(up)} ${unit}`;
}
