/** The intermediate representation: one op union, attributes per op, values with dtype and (symbolic) shape. */
import type { Dim, Shape } from './dims.js';

export type DType = 'float32' | 'int64' | 'bool';

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

type None = Readonly<Record<never, never>>;

/** Attributes of every op. A new op is added here, and then does not compile until all rule tables know it. */
export interface OpAttributes {
  /** Fed at each run. */
  input: { readonly name: string; readonly type: TensorType };
  /** A weight. Those marked trainable are fed at each run; the others lie in the model as (external) initializers. */
  parameter: { readonly name: string; readonly shape: readonly number[]; readonly trainable: boolean };
  constant: { readonly type: TensorType; readonly data: Float32Array | BigInt64Array };
  // Elementwise, one input
  neg: None;
  sqrt: None;
  cos: None;
  sin: None;
  exp: None;
  log: None;
  tanh: None;
  erf: None;
  sigmoid: None;
  relu: None;
  /** -1, 0 or 1; the slope of relu is sign(relu(x)), as PyTorch's 0 at 0. */
  sign: None;
  cast: { readonly to: DType };
  /** The value itself, which the backward pass takes for a constant. */
  detach: None;
  /** The first input itself, which is there only once the second has been computed (see autodiff/recompute.ts). */
  after: None;
  /** Outputs y and, for the backward, dy/dx. */
  gelu: { readonly approximate: 'none' | 'tanh' };
  // Elementwise, two inputs, NumPy broadcasting
  /** a·σ(a)·b of one shape, a gated linear unit: nothing but a and b is kept for the backward. */
  swiglu: None;
  add: None;
  sub: None;
  mul: None;
  div: None;
  minimum: None;
  equal: None;
  /** where(condition, a, b) */
  where: None;
  /** x where the bool mask is true, else 0, scaled by `scale`. */
  dropout: { readonly scale: number };
  // Products and normalizations
  /** alpha · A'B' over the last two axes; same batch axes on both sides. */
  matmul: { readonly transA: boolean; readonly transB: boolean; readonly alpha: number };
  /** Last axis. */
  softmax: None;
  logSoftmax: None;
  /** (x, scale, bias) over the last axis; outputs y, mean and inverse deviation. */
  layerNorm: { readonly epsilon: number };
  /** (x, scale) over the last axis; outputs x / √(mean(x²) + ε) · scale and the inverse root. */
  rmsNorm: { readonly epsilon: number };
  /**
   * Rotary positions: in each of `heads` equal parts of a row, (x₁, x₂) of its halves to (x₁cos - x₂sin, x₂cos + x₁sin):
   * (x [n, heads·d], cos [n, d/2], sin [n, d/2]).
   */
  rotate: { readonly heads: number };
  /**
   * Cross-entropy of rows under a vocabulary table, without their logits ever standing in memory together:
   * (rows [n, d], table [v, d], labels int64 [n], weights [n]) to Σ w·(-log softmax(rows·tableᵀ)[label]) and, beside it,
   * each row's own -log p [n] and the slopes by rows [n, d] and table [v, d]. `chunk` rows are worked on at a time.
   */
  tokenLoss: { readonly chunk: number };
  /**
   * Attention weights and their use, as one op so that the backward needs one reduction over the head width:
   * (scores [n, q, k], values [n, k, d], mask? bool [n, q, k]) to outputs [n, q, d] and weights softmax(scores).
   */
  attend: { readonly scale: number };
  // Reductions
  reduceSum: { readonly axes: readonly number[]; readonly keepDims: boolean };
  reduceMean: { readonly axes: readonly number[]; readonly keepDims: boolean };
  /** Gradient goes to all maxima in equal parts. */
  reduceMax: { readonly axes: readonly number[]; readonly keepDims: boolean };
  cumulativeSum: { readonly axis: number };
  // Layout
  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  expand: { readonly shape: Shape };
  concat: { readonly axis: number };
  slice: { readonly axis: number; readonly start: Dim; readonly end: Dim };
  /** Zeros before and after along an axis. */
  pad: { readonly axis: number; readonly before: Dim; readonly after: Dim };
  /** Rows of a table [v, …] at int64 indices [i…]: [i…, …]. */
  gather: { readonly unique: boolean };
  /**
   * Rows added into zeros [rows, …], or into a third input of that shape, at int64 indices [n]: the transpose of gather.
   * `unique`: no index occurs twice, and there is no third input.
   */
  scatterAdd: { readonly rows: Dim; readonly unique: boolean };
}

export type Op = keyof OpAttributes;

export interface Value {
  readonly id: number;
  readonly type: TensorType;
  readonly node: Node;
  readonly index: number;
}

export interface NodeOf<K extends Op> {
  readonly id: number;
  readonly op: K;
  readonly attributes: OpAttributes[K];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

export type Node = { [K in Op]: NodeOf<K> }[Op];

export interface GraphOutput {
  readonly name: string;
  readonly value: Value;
}
