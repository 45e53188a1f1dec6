/** Test rows as the trainer tells them, of a kind that a test knows they are of. */
import { z } from 'zod';
import { outcomeSchemas, type TestOutcome } from '../../electron/contract/index.js';
import type { TrainerEvent } from '../../electron/trainer/protocol.js';

/** What is shown of a classifier's row. */
export const classDetails = z.object({ probabilities: z.array(z.number()) });
export interface ClassRow {
  readonly id: number;
  readonly label: number;
  readonly predicted: number;
  readonly probabilities: readonly number[];
}

export const outcomesIn = (event: TrainerEvent): readonly TestOutcome[] =>
  event.type === 'outcomes' ? event.rows : [];

/** Of a classifier. */
export const classRows = (event: TrainerEvent): ClassRow[] =>
  outcomesIn(event).map(({ id, outcome, details }) => ({
    id,
    ...outcomeSchemas.classification.parse(outcome),
    ...classDetails.parse(details),
  }));
