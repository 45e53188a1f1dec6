/** Several methods are held against one baseline: how surely each may be said to differ, so that all are right together. */

export interface HolmStep {
  /** Adjusted p: the claim may be made at any level above it. */
  readonly p: number;
  readonly claimed: boolean;
  /** The level at which this claim is judged: its plain p is below it if and only if it is claimed. */
  readonly level: number;
}

/**
 * Holm's step-down procedure (Holm 1979, "A simple sequentially rejective multiple test procedure"): the smallest of m p values is
 * judged at alpha/m, the next at alpha/(m - 1), until the first that is not below its level; that one and all after it are not
 * claimed, at the level of the first. The chance of any wrong claim is alpha at most, however the comparisons hang together.
 */
export function holm(values: readonly number[], alpha: number): HolmStep[] {
  const m = values.length;
  const order = [...values.keys()].sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const firstKept = order.findIndex((index, rank) => (values[index] ?? 1) > alpha / (m - rank));
  const steps: HolmStep[] = [];
  let adjusted = 0;
  order.forEach((index, rank) => {
    adjusted = Math.max(adjusted, Math.min(1, (m - rank) * (values[index] ?? 1)));
    const claimed = firstKept === -1 || rank < firstKept;
    steps[index] = { p: adjusted, claimed, level: alpha / (m - (claimed ? rank : firstKept)) };
  });
  return steps;
}
