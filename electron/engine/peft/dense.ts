/** Dense layers of the networks that methods add. */
import type { Value } from '../graph/ir.js';
import type { Builder, DrawnStart, Initializer } from '../models/builder.js';

/** Where weights and biases of a layer start by default, as in PyTorch. */
export const denseStart = (inFeatures: number): DrawnStart => ({ uniform: 1 / Math.sqrt(inFeatures) });

export interface DenseStarts {
  readonly weight?: Initializer;
  readonly bias?: Initializer;
}

/** y = xWᵀ + b: x [n, in], y [n, out]; starts as PyTorch's layers do where nothing else is said. */
export function addedDense(
  b: Builder,
  module: string,
  x: Value,
  inFeatures: number,
  outFeatures: number,
  { weight: start = denseStart(inFeatures), bias: biasStart = denseStart(inFeatures) }: DenseStarts = {},
): Value {
  const weight = b.added(`${module}.weight`, [outFeatures, inFeatures], start);
  const bias = b.added(`${module}.bias`, [outFeatures], biasStart);
  return b.g.add(b.g.matmul(x, weight, { transB: true }), bias);
}
