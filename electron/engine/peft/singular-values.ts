/** The largest singular values of a weight and what belongs to them, as start values. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { EngineError } from '../errors.js';
import type { Initializer, StartSource } from '../models/builder.js';
import type { LinearSite } from '../models/types.js';
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

/** By the eigenvectors of the smaller of WWᵀ and WᵀW, in double precision: several times faster than a full decomposition. */
function decompose(weight: Tensor, rank: number, scale: number): { down: Float32Array; up: Float32Array } {
  const [rows, columns] = weight.shape as [number, number];
  const w = Matrix.from1DArray(rows, columns, Array.from(weight.data));
  const wide = columns > rows;
  const gram = wide ? w.mmul(w.transpose()) : w.transpose().mmul(w);
  // Ascending: the last eigenvector is the largest singular value's.
  const { eigenvectorMatrix: vectors } = new EigenvalueDecomposition(gram, { assumeSymmetric: true });
  const side = vectors.columns;
  const down = new Float32Array(rank * columns);
  const up = new Float32Array(rows * rank);
  for (let k = 0; k < rank; k++) {
    const own = vectors.getColumnVector(side - 1 - k);
    // The other side's vector times the singular value; its length is that value.
    const other = wide ? w.transpose().mmul(own) : w.mmul(own);
    const value = other.norm();
    const root = Math.sqrt(value / scale);
    const [left, right] = wide ? [own, other] : [other, own];
    const factor = (of: Matrix) => (of === other ? (value === 0 ? 0 : root / value) : root);
    for (let i = 0; i < rows; i++) up[i * rank + k] = left.get(i, 0) * factor(left);
    for (let j = 0; j < columns; j++) down[k * columns + j] = right.get(j, 0) * factor(right);
  }
  return { down, up };
}
