/** Series as charts draw them: bounded and searched. */
export interface Sample {
  readonly x: number;
  /** null where a value is missing or a loss diverged: the line has a gap there. */
  readonly y: number | null;
}

/**
 * At most `limit` points that look the same: of each bucket the lowest and the highest are kept, in order, with the first and the last.
 * A peak of one step stays visible, which an average would lose.
 */
export function bounded<T extends Sample>(samples: readonly T[], limit = 2000): readonly T[] {
  if (limit < 4) throw new RangeError(`bounded(): limit is ${limit}, at least 4 is needed`);
  if (samples.length <= limit) return samples;
  const buckets = Math.floor((limit - 2) / 2);
  const out: T[] = [samples[0] as T];
  const inner = samples.length - 2;
  for (let b = 0; b < buckets; b++) {
    const from = 1 + Math.floor((b * inner) / buckets);
    const to = 1 + Math.floor(((b + 1) * inner) / buckets);
    let low = -1,
      high = -1;
    for (let i = from; i < to; i++) {
      const y = samples[i]?.y;
      if (y === null || y === undefined) continue;
      if (low < 0 || y < (samples[low]?.y ?? Infinity)) low = i;
      if (high < 0 || y > (samples[high]?.y ?? -Infinity)) high = i;
    }
    const keep = low < 0 ? [from] : low === high ? [low] : [Math.min(low, high), Math.max(low, high)];
    for (const i of keep) if (i < to) out.push(samples[i] as T);
  }
  out.push(samples[samples.length - 1] as T);
  return out;
}

/** Index of the sample whose x is nearest, by bisection over ascending x; -1 for none. */
export function nearest(samples: readonly { readonly x: number }[], x: number): number {
  let low = 0,
    high = samples.length - 1;
  if (high < 0) return -1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((samples[middle]?.x ?? 0) < x) low = middle;
    else high = middle;
  }
  return Math.abs((samples[low]?.x ?? 0) - x) <= Math.abs((samples[high]?.x ?? 0) - x) ? low : high;
}

/** Steps of 1, 2, 2.5 or 5 (or those of `ladder`) times a power of ten that divide `span` into at most `count` parts. */
export function niceStep(span: number, count: number, ladder: readonly number[] = [1, 2, 2.5, 5, 10]): number {
  if (!(span > 0)) return 1;
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ladder.find((m) => raw <= m * power * (1 + 1e-9)) ?? 10;
  return step * power;
}

/** 1, 2 and 5 times powers of ten that lie in [low, high] and the next one outside on each side: ticks and ends of a logarithmic axis. */
export function logTicks(low: number, high: number): number[] {
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(low)) - 1; power <= Math.ceil(Math.log10(high)); power++)
    for (const m of [1, 2, 5]) all.push(Number(`${m}e${power}`));
  const first = all.findLastIndex((v) => v <= low),
    last = all.findIndex((v) => v >= high);
  return all.slice(Math.max(0, first), last < 0 ? all.length : last + 1);
}
