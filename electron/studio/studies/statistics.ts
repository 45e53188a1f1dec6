/** How the reports' intervals and verdicts are made, in words. */
import { measureKinds } from '../../evaluation/index.js';
import type { Asked } from './kinds/kind.js';

export function statisticsInWords({ measure, plan }: Asked): string[] {
  const kind = measureKinds[measure];
  return [
    `Differences in ${kind.name} from full fine-tuning are paired by seed and test row. Their errors come from a hierarchical bootstrap over seeds and test rows (the same drawn rows for all runs), the intervals from Student's t.`,
    `A difference is claimed by a two-sided test, being equal within ${kind.width(plan.zone)} by two one-sided tests at the ends of that zone, which was set before the runs; not by the absence of a difference. Each of the two is corrected for all comparisons of the study by Holm's procedure at 5 %, and the intervals are those of the tests.`,
  ];
}
