/** Learning-rate schedules, by the formulas of transformers' `get_*_schedule_with_warmup`. */

export interface ScheduleOptions {
  readonly learningRate: number;
  readonly schedule: 'linear' | 'cosine' | 'constant';
  /** Share of all steps in which the rate rises from 0. */
  readonly warmupRatio: number;
}

/** Rate of the update after `step` done steps: with warm-up the first update's rate is 0. */
export function learningRateAt(
  step: number,
  totalSteps: number,
  { learningRate, schedule, warmupRatio }: ScheduleOptions,
): number {
  const warmup = Math.ceil(warmupRatio * totalSteps);
  if (step < warmup) return (learningRate * step) / Math.max(1, warmup);
  const progress = (step - warmup) / Math.max(1, totalSteps - warmup);
  switch (schedule) {
    case 'constant':
      return learningRate;
    case 'linear':
      return learningRate * Math.max(0, 1 - progress);
    case 'cosine':
      return learningRate * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
  }
}
