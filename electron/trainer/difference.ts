/** How far two models that should be one are from each other. */

export interface Compared {
  /** Of a logit; of models that write, of a token's loss. */
  readonly largestDifference: number;
  /** Of models that write: whether the generated tokens are the same; of numbers: whether they are `alike`. */
  readonly sameLabels: boolean;
}

/** The largest difference between two lists. Not a number is never equal to anything: it must not pass as no difference. */
export function largestOf(left: readonly number[], right: readonly number[]): number {
  let largest = left.length === right.length ? 0 : Number.MAX_VALUE;
  left.forEach((value, at) => {
    const difference = Math.abs(value - (right[at] ?? Number.NaN));
    largest = Math.max(largest, Number.isNaN(difference) ? Number.MAX_VALUE : difference);
  });
  return largest;
}
