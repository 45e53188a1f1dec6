/** The rest of a run's learning rate as its schedule will draw it, from the present step to the last. */
import type { StepMetric, Training } from '../../../electron/contract/index.js';

/** Points of the planned rate, empty during warm-up (its height is not reached yet) and after the end. */
export function plannedRate(
  training: Pick<Training, 'schedule' | 'warmupRatio'>,
  last: StepMetric | undefined,
  totalSteps: number,
): { x: number; y: number }[] {
  if (!last || last.step >= totalSteps || last.step < training.warmupRatio * totalSteps) return [];
  const parts = training.schedule === 'cosine' ? 24 : 4;
  const warm = training.warmupRatio * totalSteps;
  const done = (step: number) => Math.min(1, Math.max(0, (step - warm) / Math.max(1, totalSteps - warm)));
  const shape = {
    linear: (p: number) => 1 - p,
    cosine: (p: number) => (1 + Math.cos(Math.PI * p)) / 2,
    constant: () => 1,
  }[training.schedule];
  const now = shape(done(last.step));
  if (now <= 0) return [];
  return Array.from({ length: parts + 1 }, (_, i) => {
    const x = last.step + ((totalSteps - last.step) * i) / parts;
    return { x, y: (last.learningRate * shape(done(x))) / now };
  });
}
