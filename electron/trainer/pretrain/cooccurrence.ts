/**
 * Start values of the word embeddings from what stands near what: positive pointwise mutual information of tokens in a
 * window, factorized (Levy & Goldberg 2014, *Neural Word Embedding as Implicit Matrix Factorization*). It takes a minute
 * and saves the masked-LM training most of the way to words of like use lying together.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { TokenizedDocuments } from './stream.js';

/** Rows of a sparse symmetric matrix. */
interface Sparse {
  readonly starts: Int32Array;
  readonly columns: Uint16Array;
  readonly values: Float32Array;
}

const window = 5;
/** Contexts' counts are raised to this power, so that rare ones do not win by chance (Levy, Goldberg & Dagan 2015). */
const smoothing = 0.75;
const powerIterations = 3;

/** PPMI of tokens within a window of a document, a pair counting by 1 / distance. Tokens below `first` are special and count nothing. */
export function positiveMutualInformation(
  { tokens, starts }: Pick<TokenizedDocuments, 'tokens' | 'starts'>,
  vocabulary: number,
  first: number,
): Sparse {
  const counts = new Float32Array(vocabulary * vocabulary);
  for (let document = 0; document + 1 < starts.length; document += 1) {
    const end = starts[document + 1]!;
    for (let at = starts[document]!; at < end; at += 1) {
      const token = tokens[at]!;
      if (token < first) continue;
      for (let other = at + 1; other < Math.min(end, at + 1 + window); other += 1) {
        const near = tokens[other]!;
        if (near < first) continue;
        const weight = 1 / (other - at);
        counts[token * vocabulary + near]! += weight;
        counts[near * vocabulary + token]! += weight;
      }
    }
  }
  const sums = new Float64Array(vocabulary);
  for (let row = 0; row < vocabulary; row += 1)
    for (let column = 0; column < vocabulary; column += 1) sums[row]! += counts[row * vocabulary + column]!;
  const total = sums.reduce((sum, count) => sum + count, 0);
  const smoothed = sums.map((count) => count ** smoothing);
  const smoothedTotal = smoothed.reduce((sum, count) => sum + count, 0);
  const rows = new Int32Array(vocabulary + 1);
  const [columns, values]: [number[], number[]] = [[], []];
  for (let row = 0; row < vocabulary; row += 1) {
    for (let column = 0; column < vocabulary; column += 1) {
      const count = counts[row * vocabulary + column]!;
      if (count === 0) continue;
      // Averaged over both directions of the smoothing, so that the matrix stays symmetric.
      const joint = count / total;
      const forward = Math.log(joint / ((sums[row]! / total) * (smoothed[column]! / smoothedTotal)));
      const backward = Math.log(joint / ((sums[column]! / total) * (smoothed[row]! / smoothedTotal)));
      const information = (forward + backward) / 2;
      if (information <= 0) continue;
      columns.push(column);
      values.push(information);
    }
    rows[row + 1] = columns.length;
  }
  return { starts: rows, columns: Uint16Array.from(columns), values: Float32Array.from(values) };
}

/** M·X for X [rows, width]. */
function product({ starts, columns, values }: Sparse, x: Float32Array, width: number): Float32Array {
  const result = new Float32Array((starts.length - 1) * width);
  for (let row = 0; row + 1 < starts.length; row += 1) {
    const to = row * width;
    for (let at = starts[row]!; at < starts[row + 1]!; at += 1) {
      const [from, value] = [columns[at]! * width, values[at]!];
      for (let i = 0; i < width; i += 1) result[to + i]! += value * x[from + i]!;
    }
  }
  return result;
}

/** Makes the columns of X [rows, width] orthonormal in place (modified Gram-Schmidt, on rows of the transpose for locality). */
function orthonormalize(x: Float32Array, width: number): Float32Array {
  const rows = x.length / width;
  const columns = Array.from({ length: width }, (_, column) =>
    Float64Array.from({ length: rows }, (_unused, row) => x[row * width + column]!),
  );
  columns.forEach((column, index) => {
    for (const before of columns.slice(0, index)) {
      let dot = 0;
      for (let row = 0; row < rows; row += 1) dot += column[row]! * before[row]!;
      for (let row = 0; row < rows; row += 1) column[row]! -= dot * before[row]!;
    }
    const norm = Math.sqrt(column.reduce((sum, value) => sum + value * value, 0));
    for (let row = 0; row < rows; row += 1) column[row] = norm > 1e-12 ? column[row]! / norm : 0;
  });
  columns.forEach((column, index) => {
    for (let row = 0; row < rows; row += 1) x[row * width + index] = column[row]!;
  });
  return x;
}

/** Eigenvalues and eigenvectors (columns of `vectors`) of a symmetric matrix [n, n] by cyclic Jacobi rotations. */
export function symmetricEigen(matrix: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const a = matrix.slice();
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) vectors[i * n + i] = 1;
  const scale = a.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < 30; sweep += 1) {
    let off = 0;
    for (let p = 0; p < n; p += 1) for (let q = p + 1; q < n; q += 1) off += a[p * n + q]! ** 2;
    if (off <= 1e-18 * scale) break;
    for (let p = 0; p < n; p += 1) for (let q = p + 1; q < n; q += 1) rotate(p, q);
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!), vectors };

  function rotate(p: number, q: number): void {
    const apq = a[p * n + q]!;
    if (apq === 0) return;
    const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
    const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
    const c = 1 / Math.sqrt(t * t + 1);
    const s = t * c;
    const turn = (m: Float64Array, first: number, second: number) => {
      const [x, y] = [m[first]!, m[second]!];
      m[first] = c * x - s * y;
      m[second] = s * x + c * y;
    };
    for (let k = 0; k < n; k += 1) turn(a, k * n + p, k * n + q);
    for (let k = 0; k < n; k += 1) turn(a, p * n + k, q * n + k);
    for (let k = 0; k < n; k += 1) turn(vectors, k * n + p, k * n + q);
  }
}

/**
 * The `width` strongest directions of M, each by the root of its strength: rows of U·|Λ|^½, every row of length `norm`
 * (zero for tokens that never occur). Randomized subspace iteration (Halko, Martinsson & Tropp 2011).
 */
export function factorize(m: Sparse, width: number, norm: number, seed: number): Float32Array {
  const size = m.starts.length - 1;
  const generator = xoroshiro128plus(seed);
  let q: Float32Array = Float32Array.from({ length: size * width }, () => uniformFloat64(generator) - 0.5);
  for (let i = 0; i < powerIterations; i += 1) q = orthonormalize(product(m, q, width), width);
  const mq = product(m, q, width);
  const small = new Float64Array(width * width);
  for (let row = 0; row < size; row += 1) {
    for (let i = 0; i < width; i += 1)
      for (let j = 0; j < width; j += 1) small[i * width + j]! += q[row * width + i]! * mq[row * width + j]!;
  }
  for (let i = 0; i < width; i += 1)
    for (let j = 0; j < i; j += 1)
      small[i * width + j] = small[j * width + i] = (small[i * width + j]! + small[j * width + i]!) / 2;
  const { values, vectors } = symmetricEigen(small, width);
  const roots = values.map((value) => Math.sqrt(Math.abs(value)));
  const result = new Float32Array(size * width);
  for (let row = 0; row < size; row += 1) {
    let length = 0;
    for (let j = 0; j < width; j += 1) {
      let sum = 0;
      for (let i = 0; i < width; i += 1) sum += q[row * width + i]! * vectors[i * width + j]!;
      result[row * width + j] = sum * roots[j]!;
      length += (sum * roots[j]!) ** 2;
    }
    if (length > 0) for (let j = 0; j < width; j += 1) result[row * width + j]! *= norm / Math.sqrt(length);
  }
  return result;
}
