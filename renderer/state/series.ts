/** Series of a live run: bounded in memory, thinned for drawing, smoothed for reading. Pure functions. */
import type { StepMetric } from '../../electron/contract/index.js';

/** Mean of two values of which either may be missing. */
const meanOf = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : (a + b) / 2);

/** Two neighbouring records as one: means of what fluctuates, the larger of memory, the later step. */
function merge(first: StepMetric, second: StepMetric): StepMetric {
  return {
    step: second.step,
    loss: meanOf(first.loss, second.loss),
    learningRate: second.learningRate,
    gradientNorm: meanOf(first.gradientNorm, second.gradientNorm),
    tokensPerSecond: (first.tokensPerSecond + second.tokensPerSecond) / 2,
    memoryBytes: Math.max(first.memoryBytes, second.memoryBytes),
    seconds: (first.seconds + second.seconds) / 2,
  };
}

/** Halves the resolution: neighbours become one record; an odd last record stays as it is. */
export function halve(points: readonly StepMetric[]): StepMetric[] {
  const halved: StepMetric[] = [];
  for (let i = 0; i < points.length; i += 2) {
    const first = points[i];
    const second = points[i + 1];
    if (first) halved.push(second ? merge(first, second) : first);
  }
  return halved;
}

/**
 * Appends records, drops those at or before the last known step, and keeps at most `limit` by merging neighbours.
 * A resumed run may tell again what it repeats: the first telling stands.
 */
export function append(points: readonly StepMetric[], added: readonly StepMetric[], limit = 4000): StepMetric[] {
  let last = points.at(-1)?.step ?? -1;
  let all = [...points];
  for (const point of added) {
    if (point.step <= last) continue;
    all.push(point);
    last = point.step;
  }
  while (all.length > limit) all = halve(all);
  return all;
}

/**
 * Exponentially weighted mean over about `window` records, corrected for its start (as Adam's moments are);
 * missing values carry the mean on.
 */
export function smooth(values: readonly (number | null)[], window = 20): (number | null)[] {
  const decay = 1 - 2 / (Math.max(1, window) + 1);
  let mean = 0;
  let weight = 0;
  return values.map((value) => {
    if (value === null) return weight === 0 ? null : mean / weight;
    mean = decay * mean + (1 - decay) * value;
    weight = decay * weight + (1 - decay);
    return mean / weight;
  });
}

/** Mean and standard deviation of a list's last `count` values, null when it has none. */
export function recent(values: readonly number[], count = 50): { mean: number; deviation: number } | null {
  const tail = values.slice(-count);
  if (tail.length === 0) return null;
  const mean = tail.reduce((sum, value) => sum + value, 0) / tail.length;
  const variance = tail.length < 2 ? 0 : tail.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (tail.length - 1);
  return { mean, deviation: Math.sqrt(variance) };
}
