/** Progress of the test and its time left: rows are read in batches, answers generated token by token, each at a pace of its own. */
import type { Between } from './learning.js';
import type { TrainerEvent } from './protocol.js';

/**
 * Tells `testing` phases: rows that were read, then answers that were given, of both together. There is no time left as long as a part
 * is still to come, since nothing is known of its pace.
 * @param rows of the split
 */
export function testPace(rows: number, emit: (event: TrainerEvent) => Promise<void>): Between {
  let startedAt = performance.now();
  let part: 'rows' | 'answers' = 'rows';
  return async (done, { part: now = 'rows', of = rows, answersAhead = 0 } = {}) => {
    const answering = now === 'answers';
    if (now !== part) {
      part = now;
      // What the first answer takes counts from here on, its session included.
      startedAt = performance.now();
    }
    const seconds = (performance.now() - startedAt) / 1000;
    await emit({
      type: 'phase',
      phase: 'testing',
      done: answering ? rows + done : done,
      total: answering ? rows + of : rows + answersAhead,
      secondsLeft: answersAhead > 0 || done === 0 ? null : (seconds / done) * (of - done),
    });
  };
}
