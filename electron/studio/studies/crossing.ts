/** Where full fine-tuning gets ahead as the examples grow in number: read off the judged differences, and in words. */
import type { GapDecision } from '../../evaluation/index.js';

export interface SizedDecision {
  /** "16", "all". */
  readonly size: string;
  readonly decision: GapDecision;
}

export interface Crossing {
  /** The smallest size from which full fine-tuning is ahead there and at every larger size tried; null where there is none. */
  readonly fullAheadFrom: string | null;
  /** Sizes at which it is ahead though not at every larger one. */
  readonly fullAheadBetween: readonly string[];
  /** Sizes at which the method is ahead. */
  readonly methodAheadAt: readonly string[];
  /** Sizes at which the two are equal within the zone. */
  readonly equalAt: readonly string[];
}

/** @param decisions by size, ascending */
export function crossingOf(decisions: readonly SizedDecision[]): Crossing {
  const lastOther = decisions.findLastIndex(({ decision }) => decision !== 'worse');
  const from = decisions[lastOther + 1];
  const at = (wanted: GapDecision) => decisions.filter(({ decision }) => decision === wanted).map(({ size }) => size);
  return {
    fullAheadFrom: from?.size ?? null,
    fullAheadBetween: decisions
      .slice(0, lastOther + 1)
      .flatMap(({ size, decision }) => (decision === 'worse' ? [size] : [])),
    methodAheadAt: at('better'),
    equalAt: at('equal'),
  };
}

const list = (values: readonly string[]) =>
  values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} and ${values.at(-1)}`;
const examples = (sizes: readonly string[]) =>
  `with ${list(sizes)}${sizes.at(-1) === 'all' ? '' : ' examples a class'}`;

export type CrossingVerdict = {
  readonly kind: 'for-peft' | 'against-peft' | 'equal' | 'undecided';
  readonly text: string;
};

/** One sentence for each thing that the sizes tried show of a method. */
export function crossingInWords(name: string, decisions: readonly SizedDecision[]): CrossingVerdict[] {
  const { fullAheadFrom, fullAheadBetween, methodAheadAt, equalAt } = crossingOf(decisions);
  const tried = decisions.map(({ size }) => size);
  const verdicts: CrossingVerdict[] = [];
  if (methodAheadAt.length > 0)
    verdicts.push({ kind: 'for-peft', text: `${name} is ahead of full fine-tuning ${examples(methodAheadAt)}.` });
  if (equalAt.length > 0)
    verdicts.push({ kind: 'equal', text: `${name} equals full fine-tuning within the zone ${examples(equalAt)}.` });
  if (fullAheadBetween.length > 0)
    verdicts.push({
      kind: 'against-peft',
      text: `Full fine-tuning is ahead of ${name} ${examples(fullAheadBetween)}, though not at every larger size tried.`,
    });
  if (fullAheadFrom === null)
    verdicts.push({
      kind: 'undecided',
      text: `No size was seen from which full fine-tuning is ahead of ${name} and stays so; tried were ${list(tried)}.`,
    });
  else if (fullAheadFrom === tried[0])
    verdicts.push({
      kind: 'against-peft',
      text: `Full fine-tuning is ahead of ${name} at every size tried: ${list(tried)}.`,
    });
  else
    verdicts.push({
      kind: 'against-peft',
      text:
        fullAheadFrom === tried.at(-1)
          ? `Full fine-tuning is ahead of ${name} at the largest size tried only: ${examples([fullAheadFrom])}.`
          : `Full fine-tuning is ahead of ${name} from ${fullAheadFrom} examples a class on, at every larger size tried.`,
    });
  return verdicts;
}
