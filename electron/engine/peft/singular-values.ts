/** The largest singular values of a weight and what belongs to them, as start values. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { EngineError } from '../errors.js';
import type { Initializer, StartSource } from '../models/builder.js';
import type { LinearSite } from '../models/types.js';
import { uniformOf } from '../runtime/random.js';
import type { Tensor } from '../types.js';
import { readWeight } from './arithmetic.js';

/** Start values of A [r, in] and B [out, r] of a linear layer. */
export type PrincipalParts = (site: LinearSite) => readonly [down: Initializer, up: Initializer];

/**
 * A = √(S/s)·Uᵀ and B = V·√(S/s) of W = V·S·Uᵀ cut to the r largest singular values, so that s·B·A is W's best approximation
 * of rank r. Each weight is decomposed once, when the first of its start values is asked for.
 * Throws EngineError 'bad-input' for a rank above the smaller side of a weight.
 */
export function principalParts(rank: number, scale: number): PrincipalParts {
  const found = new Map<string, Promise<{ down: Float32Array; up: Float32Array }>>();
  return (site) => {
    const least = Math.min(site.inFeatures, site.outFeatures);
    if (rank > least)
      throw new EngineError(
        'bad-input',
        `method.rank: ${site.module} has only ${least} singular values; the rank is ${rank}.`,
        `With initialization "pissa" use a rank of at most ${least}.`,
        { path: 'method.rank', module: site.module },
      );
    const of = ({ read }: StartSource) => {
      let parts = found.get(site.module);
      if (!parts) found.set(site.module, (parts = readWeight(site, read).then((w) => decompose(w, rank, scale))));
      return parts;
    };
    return [{ from: async (source) => (await of(source)).down }, { from: async (source) => (await of(source)).up }];
  };
}

/** Values read at a place of a vector or a matrix row; the arrays here are always long enough. */
const at = (x: Float64Array | Float32Array, i: number) => x[i] as number;

const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, i) => sum + value * at(y, i), 0);

/** x + factor · y, in place. */
function addTo(x: Float64Array, y: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = at(x, i) + factor * at(y, i);
}

function normalized(x: Float64Array): Float64Array {
  const length = Math.sqrt(dot(x, x));
  return length === 0 ? x : x.map((value) => value / length);
}

/** Takes the parts along an orthonormal basis out of x; twice, as rounding leaves some the first time. */
function orthogonalize(x: Float64Array, basis: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass++) for (const vector of basis) addTo(x, vector, -dot(x, vector));
}

/** A matrix [rows, columns] times a vector, or its transpose times one. */
function multiply({ shape, data }: Tensor, x: Float64Array, turned: boolean): Float64Array {
  const [rows, columns] = shape as [number, number];
  const y = new Float64Array(turned ? columns : rows);
  for (let i = 0; i < rows; i++) {
    const start = i * columns;
    if (turned) for (let j = 0; j < columns; j++) y[j] = at(y, j) + at(data, start + j) * at(x, i);
    else {
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += at(data, start + j) * at(x, j);
      y[i] = sum;
    }
  }
  return y;
}

/**
 * Orthonormal eigenvectors of the `count` largest eigenvalues of a symmetric positive matrix of side n, largest first: Lanczos'
 * method with full reorthogonalization, which goes on until their residuals are 1e-10 of the largest eigenvalue, or to n.
 */
function largestEigenvectors(apply: (x: Float64Array) => Float64Array, n: number, count: number): Float64Array[] {
  const basis: Float64Array[] = [];
  const [diagonal, beside]: [number[], number[]] = [[], []];
  const draw = uniformOf('start', n);
  const fresh = (k: number) => {
    const x = Float64Array.from({ length: n }, (_, i) => draw(k * n + i) - 0.5);
    orthogonalize(x, basis);
    return normalized(x);
  };
  let next = fresh(0);
  for (;;) {
    basis.push(next);
    const k = basis.length;
    const image = apply(next);
    diagonal.push(dot(image, next));
    orthogonalize(image, basis);
    const rest = Math.sqrt(dot(image, image));
    const scale = Math.max(...diagonal);
    if (k === n || (k >= count && k % 16 === 0)) {
      const small = Matrix.zeros(k, k);
      diagonal.forEach((value, i) => small.set(i, i, value));
      beside.forEach((value, i) => small.set(i, i + 1, value).set(i + 1, i, value));
      // Ascending: the last column belongs to the largest.
      const { eigenvectorMatrix: vectors, realEigenvalues: values } = new EigenvalueDecomposition(small, {
        assumeSymmetric: true,
      });
      const columns = Array.from({ length: count }, (_, i) => k - 1 - i);
      const limit = 1e-10 * Math.max(...values);
      if (k === n || columns.every((column) => Math.abs(rest * vectors.get(k - 1, column)) <= limit))
        return columns.map((column) => {
          const vector = new Float64Array(n);
          basis.forEach((own, row) => addTo(vector, own, vectors.get(row, column)));
          return vector;
        });
    }
    // Nothing new in this direction: the matrix falls into blocks, and the next one starts afresh.
    const ended = rest <= 1e-14 * scale;
    beside.push(ended ? 0 : rest);
    next = ended ? fresh(k) : image.map((value) => value / rest);
  }
}

function decompose(weight: Tensor, rank: number, scale: number): { down: Float32Array; up: Float32Array } {
  const [rows, columns] = weight.shape as [number, number];
  const wide = columns > rows;
  const vectors = largestEigenvectors(
    (x) => multiply(weight, multiply(weight, x, wide), !wide),
    Math.min(rows, columns),
    rank,
  );
  const down = new Float32Array(rank * columns);
  const up = new Float32Array(rows * rank);
  vectors.forEach((own, k) => {
    // The other side's vector times the singular value; its length is that value.
    const image = multiply(weight, own, wide);
    const value = Math.sqrt(dot(image, image));
    const root = Math.sqrt(value / scale);
    const other = normalized(image);
    const [left, right] = wide ? [own, other] : [other, own];
    for (let i = 0; i < rows; i++) up[i * rank + k] = at(left, i) * root;
    for (let j = 0; j < columns; j++) down[k * columns + j] = at(right, j) * root;
  });
  return { down, up };
}
