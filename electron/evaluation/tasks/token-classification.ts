/** Entities in tagged words: precision, recall and F1 over all entities together, as seqeval counts them. */
import type { Scores } from '../../contract/entities.js';
import type { Measure } from '../../contract/measures.js';
import type { OutcomeOf } from '../../contract/outcomes.js';
import { rowIntervals } from '../bootstrap.js';
import { countEntities, entityScores, type EntityCounts } from '../entities.js';
import type { EvaluatedTask } from './task.js';

type Outcome = OutcomeOf<'token-classification'>;

export const tokenClassification: EvaluatedTask<Outcome> = {
  truth: ({ entities }) => JSON.stringify(entities),
  counts: () => true,
  score(outcomes, measure) {
    const counts = outcomes.map(countsOf);
    return (times) => valueOf(measure, drawn(counts, times));
  },
};

const countsOf = ({ entities, found }: Outcome) => countEntities(entities, found);

/** Counts of rows that were drawn `times` each, together. */
function drawn(counts: readonly EntityCounts[], times?: ArrayLike<number>): EntityCounts {
  let [correct, predicted, expected] = [0, 0, 0];
  counts.forEach((own, row) => {
    const count = times === undefined ? 1 : (times[row] ?? 0);
    correct += count * own.correct;
    predicted += count * own.predicted;
    expected += count * own.expected;
  });
  return { correct, predicted, expected };
}

function valueOf(measure: Measure, counts: EntityCounts): number {
  const { precision, recall, f1 } = entityScores(counts);
  return measure === 'entityPrecision' ? precision : measure === 'entityRecall' ? recall : f1;
}

const allOf = (counts: EntityCounts) => {
  const { precision, recall, f1 } = entityScores(counts);
  return { entityF1: f1, entityPrecision: precision, entityRecall: recall };
};

/** @param losses of each row's labelled tokens, in nats; their mean is over the tokens of all rows. `tokens` counts them */
export function entitySplitScores(
  outcomes: readonly Outcome[],
  losses: { readonly sum: number; readonly tokens: number },
): Scores & Record<'entityF1' | 'entityPrecision' | 'entityRecall', number> {
  const counts = outcomes.map(countsOf);
  const intervals = rowIntervals(outcomes.length, (times) => allOf(drawn(counts, times)));
  return {
    objective: 'token-classification',
    loss: losses.tokens === 0 ? 0 : losses.sum / losses.tokens,
    ...allOf(drawn(counts)),
    entityF1Interval: intervals?.entityF1 ?? null,
    entityPrecisionInterval: intervals?.entityPrecision ?? null,
    entityRecallInterval: intervals?.entityRecall ?? null,
  };
}

export interface TypeScores {
  readonly type: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Entities of the type that are there. */
  readonly entities: number;
}

/** Each type by itself, by name. */
export function typeScores(outcomes: readonly Outcome[]): TypeScores[] {
  const types = new Set(outcomes.flatMap(({ entities, found }) => [...entities, ...found].map(([, , type]) => type)));
  return [...types].sort().map((type) => {
    const counts = drawn(outcomes.map(({ entities, found }) => countEntities(entities, found, type)));
    return { type, ...entityScores(counts), entities: counts.expected };
  });
}
