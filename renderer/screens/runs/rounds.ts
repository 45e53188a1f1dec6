/** Runs that go on from one another: numbered, laid out, and their gains in words. */
import type { Gain, Round, Run } from '../../../electron/contract/index.js';
import { interval, signed } from '../../state/format.js';

/** 1 for a run on the base model, one more for each that it goes on from. */
export function roundNumber(run: Run, find: (id: number) => Run | undefined): number {
  let count = 1;
  for (let now: Run | undefined = run; now?.plan.refines !== undefined; now = find(now.plan.refines)) count += 1;
  return count;
}

export interface Placed {
  readonly round: Round;
  /** Counted from 0: rounds stand side by side, branches one below the other. */
  readonly column: number;
  readonly row: number;
  /** Where the round before stands. */
  readonly from: { readonly column: number; readonly row: number } | null;
}

/** A tree from left to right: a first branch goes straight on, each other one takes a new row. */
export function layOut(rounds: readonly Round[]): {
  readonly placed: Placed[];
  readonly columns: number;
  readonly rows: number;
} {
  const placed: Placed[] = [];
  let rows = 0;
  const place = (round: Round, from: Placed | null, row: number) => {
    const column = from === null ? 0 : from.column + 1;
    const own = { round, column, row, from: from && { column: from.column, row: from.row } };
    placed.push(own);
    rows = Math.max(rows, row + 1);
    rounds
      .filter(({ refines }) => refines === round.id)
      .forEach((next, index) => place(next, own, index === 0 ? row : rows));
  };
  const [first] = rounds;
  if (first) place(first, null, 0);
  return { placed, columns: 1 + Math.max(-1, ...placed.map(({ column }) => column)), rows };
}

/** "+1.2 points (0.3 to 2.1)"; of perplexities "+3.1 % (…)" where it fell. */
export function gainWords({ mean, unit, interval: ends }: Gain): string {
  return `${signed(mean)} ${unit}${ends ? ` (${interval(ends.low, ends.high, 1)})` : ''}`;
}

/** Whether the interval leaves 0 out. */
export function direction({ interval: ends }: Gain): 'up' | 'down' | null {
  if (!ends) return null;
  return ends.low > 0 ? 'up' : ends.high < 0 ? 'down' : null;
}
