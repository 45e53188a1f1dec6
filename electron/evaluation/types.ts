/** What the comparison is made from. */
import type { Run } from '../contract/entities.js';

/** Test rows of one run: three parallel lists. Indices number the data set's sorted labels. */
export interface TestPredictions {
  readonly rowIds: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
}

export interface RunWithPredictions {
  readonly run: Run;
  /** null while the run has none: it is left out of the comparison, with a note. */
  readonly predictions: TestPredictions | null;
}

export interface ComparisonOptions {
  readonly dataset: string;
  readonly model: string;
  readonly measure: 'macroF1' | 'accuracy';
  /** Half-width of the zone of equivalence in points (percent). */
  readonly zone: number;
  /** Seed of the bootstrap over test rows. */
  readonly seed?: number;
}
