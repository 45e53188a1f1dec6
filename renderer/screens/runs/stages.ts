/** What the stages of a run say: their states, and what each brought. */
import { measuresOf, measureTable, type Run, type Scores, type StageMetric } from '../../../electron/contract/index.js';
import { signed } from '../../state/format.js';
import { mainScore, type ShownScore } from '../../state/scores.js';
import { mark, t } from '../../language.js';

export interface StageCell {
  readonly stage: number;
  readonly state: 'done' | 'under way' | 'cut short' | 'waits' | 'left out';
  /** Null for a stage that has not begun. */
  readonly told: StageMetric | null;
  /** In a word or two what it came to; null while that is open. */
  readonly outcome: { readonly tone: 'good' | 'warn' | 'plain'; readonly words: string } | null;
  /** At its end. */
  readonly score: ShownScore | null;
  /** From the end of the stage before: "+1.2 points", of perplexity "−3.1 %". */
  readonly gain: string | null;
}

/** Every stage of a run, those that are still to come too. */
export function stageCells(stages: readonly StageMetric[], state: Run['state']): StageCell[] {
  const count = stages[0]?.stages ?? 0;
  const over = state === 'finished' || state === 'cancelled' || state === 'failed';
  return Array.from({ length: count }, (_, at): StageCell => {
    const told = stages.find(({ stage }) => stage === at + 1) ?? null;
    const before = stages.find(({ stage }) => stage === at)?.scores ?? null;
    const scores = told?.scores ?? null;
    return {
      stage: at + 1,
      told,
      state:
        told === null
          ? over
            ? mark('left out')
            : mark('waits')
          : told.next !== null
            ? mark('done')
            : over
              ? mark('cut short')
              : mark('under way'),
      outcome: told === null ? null : outcomeOf(told),
      score: scores && mainScore(scores),
      gain: scores && before ? gainOf(scores, before) : null,
    };
  });
}

function gainOf(scores: Scores, before: Scores): string {
  const [main] = measuresOf(scores);
  const [now, then] = [scores[main], before[main]];
  if (measureTable[main].difference === 'points' && typeof now === 'number' && typeof then === 'number')
    return t('{now} points', { now: signed(100 * (now - then)) });
  return `${signed(100 * (Math.exp(scores.loss - before.loss) - 1))} %`;
}

function outcomeOf({ helped, next }: StageMetric): StageCell['outcome'] {
  if (next === null || helped === null) return null;
  if (helped) return { tone: 'good', words: t('helped') };
  switch (next) {
    case 'back':
      return { tone: 'warn', words: t('no gain, went back') };
    case 'stop':
      return { tone: 'warn', words: t('no gain, stopped') };
    case 'next':
    case 'end':
      return { tone: 'warn', words: t('no gain') };
  }
}
