/** Correlations of two lists of numbers, a pair a row, over rows that may count several times (the bootstrap). */

/** Product-moment correlation; NaN where one of the lists does not vary. */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>, times?: ArrayLike<number>): number {
  const weight = (row: number) => (times === undefined ? 1 : (times[row] ?? 0));
  let [count, sumA, sumB] = [0, 0, 0];
  for (let row = 0; row < a.length; row += 1) {
    const drawn = weight(row);
    count += drawn;
    sumA += drawn * (a[row] ?? 0);
    sumB += drawn * (b[row] ?? 0);
  }
  const [meanA, meanB] = [sumA / count, sumB / count];
  let [both, squaresA, squaresB] = [0, 0, 0];
  for (let row = 0; row < a.length; row += 1) {
    const drawn = weight(row);
    if (drawn === 0) continue;
    const [fromA, fromB] = [(a[row] ?? 0) - meanA, (b[row] ?? 0) - meanB];
    both += drawn * fromA * fromB;
    squaresA += drawn * fromA * fromA;
    squaresB += drawn * fromB * fromB;
  }
  return squaresA === 0 || squaresB === 0 ? NaN : both / Math.sqrt(squaresA * squaresB);
}

/** Ranks of a list, equals at the mean of their places, for rows that count `times` each. The order is sorted once. */
export function ranker(values: ArrayLike<number>): (times?: ArrayLike<number>) => Float64Array {
  const order = Array.from({ length: values.length }, (_, row) => row).sort(
    (a, b) => (values[a] ?? 0) - (values[b] ?? 0),
  );
  const ranks = new Float64Array(values.length);
  return (times) => {
    let before = 0;
    for (let from = 0; from < order.length;) {
      let [to, count] = [from, 0];
      while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) {
        count += times === undefined ? 1 : (times[order[to] ?? 0] ?? 0);
        to += 1;
      }
      for (let at = from; at < to; at += 1) ranks[order[at] ?? 0] = before + (count + 1) / 2;
      before += count;
      from = to;
    }
    return ranks;
  };
}

/** Rank correlation with ties, as SciPy's `spearmanr`: the product-moment correlation of the ranks. Gives a score of rows that count `times` each. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): (times?: ArrayLike<number>) => number {
  const [rankA, rankB] = [ranker(a), ranker(b)];
  return (times) => pearson(rankA(times), rankB(times), times);
}
