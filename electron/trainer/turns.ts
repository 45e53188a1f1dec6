/** What two ways to the same end take, measured in turns, so that whatever else the machine does meets both alike. */
import type { TimedInTurns } from '../contract/entities.js';
import { judgeRatios, medianOf } from '../evaluation/index.js';

/** Enough for an interval, and no more than a user waits for. */
const limits = { least: 6, most: 30, milliseconds: 4000 };

/**
 * Times two ways in alternating order; both should have run once before, so that neither pays for what is made at first.
 * @param units what one pass of each does; times are of one of them
 * @returns medians in milliseconds, and how many times the first the second takes, by the turns' pairs
 */
export async function inTurns(
  ways: readonly [() => Promise<unknown>, () => Promise<unknown>],
  units: number,
): Promise<TimedInTurns> {
  const taken: [number[], number[]] = [[], []];
  const begun = performance.now();
  for (let turn = 0; turn < limits.most; turn += 1) {
    // The last of a turn begins the next: neither always meets the other's leftovers.
    for (const way of turn % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const started = performance.now();
      await ways[way]();
      taken[way].push((performance.now() - started) / units);
    }
    if (turn + 1 >= limits.least && performance.now() - begun > limits.milliseconds) break;
  }
  const [first, second] = taken;
  const [judged] = judgeRatios([second.map((value, turn) => value / (first[turn] ?? value))]);
  return {
    first: medianOf(first),
    second: medianOf(second),
    turns: first.length,
    times: judged?.ratio ?? 1,
    interval: judged?.interval ?? null,
    decision: judged?.decision ?? 'undecided',
  };
}
