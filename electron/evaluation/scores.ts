/** Measures of a classifier. Labels and predictions are class indices, one a row. */

/** Share of rows whose class is right; 0 for no rows. */
export function accuracy(labels: ArrayLike<number>, predicted: ArrayLike<number>): number {
  let right = 0;
  for (let row = 0; row < labels.length; row += 1) if (labels[row] === predicted[row]) right += 1;
  return labels.length === 0 ? 0 : right / labels.length;
}

/**
 * Mean F1 over the classes that occur among labels or predictions, as scikit-learn's
 * `f1_score(average="macro", zero_division=0)`: a class never predicted, or only predicted wrongly, counts 0.
 */
export function macroF1(labels: ArrayLike<number>, predicted: ArrayLike<number>): number {
  const counts = new ClassCounts(classesOf(labels, predicted));
  for (let row = 0; row < labels.length; row += 1) counts.add(labels[row] ?? 0, predicted[row] ?? 0, 1);
  return counts.macroF1();
}

/** One more than the highest class index. */
export function classesOf(...lists: readonly ArrayLike<number>[]): number {
  let highest = -1;
  for (const list of lists) for (let row = 0; row < list.length; row += 1) highest = Math.max(highest, list[row] ?? 0);
  return highest + 1;
}

/** Hits, labels and predictions of each class, with rows that may count several times (the bootstrap). */
export class ClassCounts {
  private readonly hits: Float64Array;
  /** Rows of the class and rows predicted as it, together: F1 = 2 hits / both. */
  private readonly both: Float64Array;
  private rows = 0;

  constructor(classes: number) {
    this.hits = new Float64Array(classes);
    this.both = new Float64Array(classes);
  }

  clear(): void {
    this.hits.fill(0);
    this.both.fill(0);
    this.rows = 0;
  }

  add(label: number, predicted: number, times: number): void {
    this.both[label] = (this.both[label] ?? 0) + times;
    this.both[predicted] = (this.both[predicted] ?? 0) + times;
    if (label === predicted) this.hits[label] = (this.hits[label] ?? 0) + times;
    this.rows += times;
  }

  /** Counts rows that were drawn `times` each (once where left out) in the place of what was counted before. */
  fill(labels: ArrayLike<number>, predicted: ArrayLike<number>, times?: ArrayLike<number>): void {
    this.clear();
    for (let row = 0; row < labels.length; row += 1) {
      const drawn = times === undefined ? 1 : (times[row] ?? 0);
      if (drawn > 0) this.add(labels[row] ?? 0, predicted[row] ?? 0, drawn);
    }
  }

  accuracy(): number {
    return this.rows === 0 ? 0 : this.hits.reduce((sum, hits) => sum + hits, 0) / this.rows;
  }

  macroF1(): number {
    let [sum, present] = [0, 0];
    for (let index = 0; index < this.both.length; index += 1) {
      const both = this.both[index] ?? 0;
      if (both === 0) continue;
      sum += (2 * (this.hits[index] ?? 0)) / both;
      present += 1;
    }
    return present === 0 ? 0 : sum / present;
  }
}

/** Probabilities of each row. Logits [rows, classes], row-major; so is the answer. */
export function softmax(logits: ArrayLike<number>, classes: number): Float64Array {
  const out = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    let [most, sum] = [-Infinity, 0];
    for (let at = start; at < start + classes; at += 1) most = Math.max(most, logits[at] ?? 0);
    for (let at = start; at < start + classes; at += 1) sum += out[at] = Math.exp((logits[at] ?? 0) - most);
    for (let at = start; at < start + classes; at += 1) out[at] = (out[at] ?? 0) / sum;
  }
  return out;
}

/** Negative log-likelihood of each row's label, in nats. Logits [rows, classes], row-major. */
export function rowLosses(logits: ArrayLike<number>, labels: ArrayLike<number>, classes: number): Float64Array {
  const out = new Float64Array(labels.length);
  for (let row = 0; row < labels.length; row += 1) {
    const start = row * classes;
    let [most, sum] = [-Infinity, 0];
    for (let at = start; at < start + classes; at += 1) most = Math.max(most, logits[at] ?? 0);
    for (let at = start; at < start + classes; at += 1) sum += Math.exp((logits[at] ?? 0) - most);
    out[row] = most + Math.log(sum) - (logits[start + (labels[row] ?? 0)] ?? 0);
  }
  return out;
}

/** The class of each row's largest logit; the first of equals. */
export function predictedClasses(logits: ArrayLike<number>, classes: number): Int32Array {
  return Int32Array.from({ length: Math.floor(logits.length / classes) }, (_, row) => {
    let best = 0;
    for (let index = 1; index < classes; index += 1)
      if ((logits[row * classes + index] ?? 0) > (logits[row * classes + best] ?? 0)) best = index;
    return best;
  });
}
