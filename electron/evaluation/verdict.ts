/** What an interval allows to be said, in words. */
import type { ComparisonRow } from '../contract/entities.js';
import { combinedInterval, type Interval } from './intervals.js';
import type { MeasureKind } from './measures.js';

export type Verdict = ComparisonRow['verdict'];

/** A difference from the baseline in hundredths of a score (of accuracies points), and where its uncertainty comes from. */
export interface Difference {
  readonly mean: number;
  readonly interval: Interval;
  readonly kind: MeasureKind;
  readonly seeds: number;
  /** Variance of the difference between seeds, points²; 0 with a single seed. */
  readonly seedVariance: number;
  /** Variance of the mean difference over test rows, points². */
  readonly rowVariance: number;
  readonly rows: number;
}

/** Seeds that are worth planning for; beyond it the answer is another test set or setting. */
const mostSeeds = 50;

/**
 * Within, if the interval lies wholly inside the zone; else worse or better, if wholly on one side of 0; else undecided, with the number of seeds
 * that would decide if mean and spread stayed as they are. A single seed shows no spread between seeds: it is never "within", and a difference is named as that seed's.
 */
export function verdictOn(difference: Difference, zone: number): Verdict {
  const { seeds, kind: measure } = difference;
  const { low, high } = toldInterval(difference);
  const kind = decision({ low, high }, zone);
  if (seeds === 1) {
    if (kind === 'worse' || kind === 'better')
      return { kind, text: `${apart(kind, low, high, measure.unit)} on this one seed`, moreSeeds: null };
    return {
      kind: 'undecided',
      text: 'cannot tell yet, one seed shows no spread between seeds; about 2 more seeds would tell it',
      moreSeeds: 2,
    };
  }
  if (kind === 'within') return { kind, text: `within ${measure.width(zone)} of ${measure.baseline}`, moreSeeds: null };
  if (kind !== 'undecided') return { kind, text: apart(kind, low, high, measure.unit), moreSeeds: null };
  const moreSeeds = seedsToDecide(difference, zone);
  if (moreSeeds !== null)
    return {
      kind,
      text: `cannot tell yet, about ${moreSeeds} more ${moreSeeds === 1 ? 'seed' : 'seeds'} would decide`,
      moreSeeds,
    };
  return {
    kind,
    text: rowsDecide(difference, zone)
      ? `cannot tell, more than ${mostSeeds} seeds would be needed`
      : `cannot tell, and more seeds would not decide it: ${difference.rows} test rows are too few`,
    moreSeeds: null,
  };
}

function decision({ low, high }: Interval, zone: number): 'within' | 'worse' | 'better' | 'undecided' {
  if (low >= -zone && high <= zone) return 'within';
  if (high < 0) return 'worse';
  if (low > 0) return 'better';
  return 'undecided';
}

/** The fewest seeds beyond the present ones that decide with this mean and these variances; null when `mostSeeds` do not. */
export function seedsToDecide(
  { mean, kind, seedVariance, seeds, rowVariance, rows }: Difference,
  zone: number,
): number | null {
  for (let total = seeds + 1; total <= seeds + mostSeeds; total += 1) {
    if (decision(told(kind, combinedInterval(mean, seedVariance, total, rowVariance, rows)), zone) !== 'undecided')
      return total - seeds;
  }
  return null;
}

/** Whether seeds without end would decide: then only the rows' variance is left. */
const rowsDecide = ({ mean, kind, rowVariance, rows }: Difference, zone: number) =>
  decision(told(kind, combinedInterval(mean, 0, 1, rowVariance, rows)), zone) !== 'undecided';

const told = ({ told: say }: MeasureKind, { low, high }: Interval): Interval => ({ low: say(low), high: say(high) });

/** The 95 % interval of a difference, as it is told. */
export const toldInterval = ({ kind, interval }: Difference): Interval => told(kind, interval);

/** "worse by 2.1 to 4.0 points": magnitudes, rounded outwards, so that the words never claim more than the interval. */
export function apart(kind: 'worse' | 'better', low: number, high: number, unit: string): string {
  const [near, far] = kind === 'worse' ? [-high, -low] : [low, high];
  const [from, to] = [roundedDown(near), Math.ceil(far * 10 - 1e-9) / 10];
  return from === null ? `${kind} by up to ${to.toFixed(1)} ${unit}` : `${kind} by ${from} to ${to.toFixed(1)} ${unit}`;
}

/** One decimal, or two where one would read 0.0; null below a hundredth. */
function roundedDown(value: number): string | null {
  const tenths = Math.floor(value * 10 + 1e-9) / 10;
  if (tenths > 0) return tenths.toFixed(1);
  const hundredths = Math.floor(value * 100 + 1e-9) / 100;
  return hundredths > 0 ? hundredths.toFixed(2) : null;
}
