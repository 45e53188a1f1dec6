/** What the comparison is made from. */
import type { Measure, Run } from '../contract/entities.js';

/** Test rows of one run, parallel lists. Of classes indices number the data set's sorted labels. */
export type TestRows =
  | {
      readonly kind: 'classes';
      readonly rowIds: ArrayLike<number>;
      readonly labels: ArrayLike<number>;
      readonly predicted: ArrayLike<number>;
    }
  | {
      readonly kind: 'losses';
      readonly rowIds: ArrayLike<number>;
      /** Sum of the trained tokens' losses in nats, and how many these are. */
      readonly sums: ArrayLike<number>;
      readonly tokens: ArrayLike<number>;
      /** 1 where the generated answer was the row's, 0 where it was not, NaN where none was generated. */
      readonly exact: ArrayLike<number>;
    };

export interface RunWithRows {
  readonly run: Run;
  /** null while the run has none: it is left out of the comparison, with a note. */
  readonly rows: TestRows | null;
}

export interface ComparisonOptions {
  readonly dataset: string;
  readonly model: string;
  readonly measure: Measure;
  /** Half-width of the zone of equivalence in points (percent), of perplexity in percent of it. */
  readonly zone: number;
  /** Seed of the bootstrap over test rows. */
  readonly seed?: number;
}
