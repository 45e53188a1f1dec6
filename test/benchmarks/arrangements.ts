/** How rows are put together to batches, told by their lengths. Deterministic; each row once. */
import { shuffledOrder } from '../../electron/data/random.js';

/** `texts` rows drawn of `lengths`, as batches of about `size`. */
type Arrange = (lengths: readonly number[], texts: number, size: number) => number[][];
export type Arrangement = 'drawn' | 'buckets' | 'budget';

/** Batches whose rows are sorted among each other: shuffled otherwise, as training wants it. */
const BATCHES_A_POOL = 50;

/** Another seed for every use, so that rows and batches are not shuffled alike. */
const shuffled = <T>(values: readonly T[], stream: number): T[] =>
  Array.from(shuffledOrder(values.length, 1, stream), (place) => values[place] as T);

function cut<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size));
}

const drawn = (lengths: readonly number[], texts: number) => shuffled(lengths, 0).slice(0, texts);

/** Rows sorted within pools of batches, the longest first. */
const pools = (lengths: readonly number[], texts: number, size: number) =>
  cut(drawn(lengths, texts), size * BATCHES_A_POOL).map((pool) => pool.sort((a, b) => b - a));

/** Closes a batch where its rows times the longest of them would be more than the budget. */
function within(budget: number, rows: readonly number[]): number[][] {
  const batches: number[][] = [];
  let open: number[] = [];
  for (const row of rows) {
    if (open.length > 0 && (open.length + 1) * Math.max(row, ...open) > budget) {
      batches.push(open);
      open = [];
    }
    open.push(row);
  }
  return open.length > 0 ? [...batches, open] : batches;
}

export const arrangements: Readonly<Record<Arrangement, Arrange>> = {
  drawn: (lengths, texts, size) => cut(drawn(lengths, texts), size),
  /** Of like length, as transformers' `group_by_length` does it. */
  buckets: (lengths, texts, size) =>
    shuffled(
      pools(lengths, texts, size).flatMap((pool) => cut(pool, size)),
      1,
    ),
  /** Of like length and as many as keep to a batch's tokens, padding counted, as fairseq's `--max-tokens`. */
  budget: (lengths, texts, size) => {
    const rows = drawn(lengths, texts);
    const budget = Math.max(...rows, (size * rows.reduce((sum, row) => sum + row, 0)) / rows.length);
    return shuffled(
      pools(lengths, texts, size).flatMap((pool) => within(budget, pool)),
      1,
    );
  },
};
