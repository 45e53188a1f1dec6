/** Limits that the user sets, held against what was measured: kept, broken, or not told. */
import { adviceCosts, adviceOutcomes, type AdviceCost, type AdviceLimits } from '../../contract/entities.js';
import type { AdviceCandidate, AdviceLimit } from '../../contract/entities.js';
import { measureTable, shownMeasure, type Measure } from '../../contract/measures.js';
import type { StudyKind } from '../../contract/study.js';
import type { Candidate } from './evidence.js';

type Outcome = AdviceCandidate['outcome'];
export type HeldLimit = AdviceCandidate['limits'][number];

const digits = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 3 });
const bytes = (value: number) => (value < 1e6 ? `${digits(value / 1e3)} kB` : `${digits(value / 1e6)} MB`);
const seconds = (value: number) => (value < 1 ? `${digits(1000 * value)} ms` : `${digits(value)} s`);

/** How each cost is said, and the kind of study that measures it. */
export const costWords: {
  readonly [C in AdviceCost]: { readonly name: string; readonly kind: StudyKind; say(value: number): string };
} = {
  memory: { name: 'peak memory of training', kind: 'cost', say: bytes },
  disk: { name: 'bytes to store', kind: 'cost', say: bytes },
  latency: { name: 'time of a text', kind: 'inference', say: (value) => `${digits(value)} ms` },
  step: { name: 'time of a step', kind: 'cost', say: seconds },
  training: { name: 'time of training', kind: 'cost', say: seconds },
};

/** The worst of several; kept without any. */
export const worst = (outcomes: readonly Outcome[]): Outcome =>
  outcomes.reduce<Outcome>(
    (worse, one) => (adviceOutcomes.indexOf(one) > adviceOutcomes.indexOf(worse) ? one : worse),
    'kept',
  );

/** Every limit that is set, in the order of the form. */
export function heldAgainst(candidate: Candidate, limits: AdviceLimits, measure: Measure): HeldLimit[] {
  return [
    ...adviceCosts.flatMap((cost) =>
      limits[cost] === null ? [] : held(cost, costHeld(candidate, cost, limits[cost])),
    ),
    ...(limits.score === null ? [] : held('score', scoreHeld(candidate, limits.score, measure))),
    ...(limits.loss === null ? [] : held('loss', lossHeld(candidate, limits.loss, measure))),
  ];
}

const held = (limit: AdviceLimit, found: { outcome: Outcome; text: string }): HeldLimit[] => [{ limit, ...found }];

function costHeld({ costs, mergedLatency }: Candidate, cost: AdviceCost, most: number) {
  const { name, kind, say } = costWords[cost];
  const fact = costs[cost];
  if (fact === null)
    return { outcome: 'unmeasured' as const, text: `${name} was not measured: run a study of ${kind}` };
  const merged =
    cost === 'latency' && fact.value > most && mergedLatency !== null && mergedLatency <= most
      ? `; merged into the base it takes ${say(mergedLatency)}, as a whole model to store`
      : '';
  return fact.value <= most
    ? { outcome: 'kept' as const, text: `${name} ${say(fact.value)}, at most ${say(most)}` }
    : { outcome: 'broken' as const, text: `${name} ${say(fact.value)}, above ${say(most)}${merged}` };
}

function scoreHeld({ score }: Candidate, wanted: number, measure: Measure) {
  const { name, better, factor, unit } = measureTable[measure];
  const sign = better === 'higher' ? 1 : -1;
  const said = (value: number) => `${shownMeasure(measure, value)}${unit && ` ${unit}`}`;
  const bound = said(wanted / factor);
  const limit = `${better === 'higher' ? 'at least' : 'at most'} ${bound} asked`;
  const side = (value: number) => sign * (value * factor - wanted) >= 0;
  if (score.interval === null)
    return {
      outcome: side(score.mean) ? ('open' as const) : ('broken' as const),
      text: `${name} ${said(score.mean)} on one seed, which tells no interval; ${limit}`,
    };
  const { low, high } = score.interval;
  const [a, b] = [side(low), side(high)];
  return {
    outcome: a && b ? ('kept' as const) : a || b ? ('open' as const) : ('broken' as const),
    text: `${name} ${said(low)} to ${said(high)}, ${limit}`,
  };
}

/** Not more than so far below full fine-tuning: kept where the interval lies above that, broken where it lies below. */
function lossHeld({ type, score, difference }: Candidate, most: number, measure: Measure) {
  const unit = measureTable[measure].difference;
  const limit = `at most ${digits(most)} ${unit} below asked`;
  if (type === 'full') return { outcome: 'kept' as const, text: `is full fine-tuning; ${limit}` };
  if (difference === null)
    return {
      outcome: 'unmeasured' as const,
      text: 'has no run of full fine-tuning to be held against: run a study of quality',
    };
  const { mean, interval } = difference;
  // One seed shows no spread between seeds: nothing is shown to stay within.
  if (interval === null || score.seeds < 2)
    return {
      outcome: mean < -most && interval !== null && interval.high < -most ? ('broken' as const) : ('open' as const),
      text: `${signed(mean)} ${unit} from full fine-tuning on one seed, which shows no spread between seeds; ${limit}`,
    };
  return {
    outcome:
      interval.low >= -most ? ('kept' as const) : interval.high < -most ? ('broken' as const) : ('open' as const),
    text: `${signed(interval.low)} to ${signed(interval.high)} ${unit} from full fine-tuning, ${limit}`,
  };
}

const signed = (value: number) => (value < 0 ? `−${(-value).toFixed(1)}` : value.toFixed(1));

/** Limits that nothing at this place was measured for, with the study that would. */
export function missingOf(
  candidates: readonly Pick<AdviceCandidate, 'limits'>[],
): { limit: AdviceLimit; kind: StudyKind; text: string }[] {
  const first = candidates[0]?.limits ?? [];
  return first.flatMap(({ limit }) => {
    const none = candidates.every(({ limits }) =>
      limits.some((one) => one.limit === limit && one.outcome === 'unmeasured'),
    );
    if (!none || limit === 'score' || limit === 'loss') return [];
    const { name, kind } = costWords[limit];
    return [{ limit, kind, text: `No finished study measured the ${name} here: run a study of ${kind}.` }];
  });
}
