/** What the comparison is made from. */
import type { Run } from '../contract/entities.js';
import type { Measure } from '../contract/measures.js';
import type { Objective } from '../contract/objectives.js';
import type { OutcomeOf } from '../contract/outcomes.js';

/** Test rows of one run, parallel lists. */
export interface TestRows {
  readonly objective: Objective;
  readonly rowIds: ArrayLike<number>;
  /** Of that objective. */
  readonly outcomes: readonly OutcomeOf<Objective>[];
}

export interface RunWithRows {
  readonly run: Run;
  /** null while the run has none: it is left out of the comparison, with a note. */
  readonly rows: TestRows | null;
}

export interface ComparisonOptions {
  readonly dataset: string;
  readonly model: string;
  readonly objective: Objective;
  readonly measure: Measure;
  /** Half-width of the zone of equivalence in points (hundredths of the measure), or percent of the baseline's, as the measure has it. */
  readonly zone: number;
  /** Seed of the bootstrap over test rows. */
  readonly seed?: number;
}
