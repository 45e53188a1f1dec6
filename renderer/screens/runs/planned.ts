/** The rest of a run's learning rate as its schedule will draw it, from the present step to the last of its stage. */
import type { StageMetric, StepMetric, Training } from '../../../electron/contract/index.js';

/**
 * Points of the planned rate, empty during warm-up (its height is not reached yet) and after the end.
 * @param stage the one at hand, whose schedule is its own; null where the run is one
 */
export function plannedRate(
  training: Pick<Training, 'schedule' | 'warmupRatio'>,
  last: StepMetric | undefined,
  totalSteps: number,
  stage: Pick<StageMetric, 'firstStep' | 'lastStep'> | null = null,
): { x: number; y: number }[] {
  const [begin, end] = stage ? [stage.firstStep - 1, stage.lastStep] : [0, totalSteps];
  const warm = begin + training.warmupRatio * (end - begin);
  if (!last || last.step >= end || last.step < warm) return [];
  const parts = training.schedule === 'cosine' ? 24 : 4;
  const done = (step: number) => Math.min(1, Math.max(0, (step - warm) / Math.max(1, end - warm)));
  const shape = {
    linear: (p: number) => 1 - p,
    cosine: (p: number) => (1 + Math.cos(Math.PI * p)) / 2,
    constant: () => 1,
  }[training.schedule];
  const now = shape(done(last.step));
  if (now <= 0) return [];
  return Array.from({ length: parts + 1 }, (_, i) => {
    const x = last.step + ((end - last.step) * i) / parts;
    return { x, y: (last.learningRate * shape(done(x))) / now };
  });
}
