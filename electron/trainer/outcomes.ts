/** What became of the test rows, told in pieces. */
import type { Objective } from '../contract/objectives.js';
import type { OutcomeOf, TestOutcome } from '../contract/outcomes.js';
import type { TrainerEvent } from './protocol.js';

const rowsAtOnce = 500;

/** @param of the outcome of the row at a place of the split, and what is only shown of it */
export async function sendOutcomes<O extends Objective>(
  ids: ArrayLike<number>,
  emit: (event: TrainerEvent) => Promise<void>,
  of: (row: number, id: number) => { readonly outcome: OutcomeOf<O>; readonly details: TestOutcome['details'] },
): Promise<void> {
  for (let from = 0; from < ids.length; from += rowsAtOnce) {
    const rows = Array.from({ length: Math.min(rowsAtOnce, ids.length - from) }, (_, offset): TestOutcome => {
      const id = ids[from + offset] ?? 0;
      return { id, ...of(from + offset, id) };
    });
    await emit({ type: 'outcomes', rows });
  }
}
