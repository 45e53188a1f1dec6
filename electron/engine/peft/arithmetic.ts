/** Small matrix arithmetic on tensors in memory, for merging and for start values; sums are taken in double precision. */
import { EngineError } from '../errors.js';
import type { StartSource } from '../models/builder.js';
import type { LinearSite } from '../models/types.js';
import type { Tensor } from '../types.js';

const sidesOf = ({ shape }: Tensor): [number, number] => shape as [number, number];

/** W + scale · B·A for W [out, in], B [out, r], A [r, in]. Throws EngineError 'bad-input' where they do not fit. */
export function addProduct(base: Tensor, up: Tensor, down: Tensor, scale: number): Tensor {
  const [rows, columns] = sidesOf(base);
  const rank = down.shape[0] as number;
  if (up.shape[0] !== rows || down.shape[1] !== columns || up.shape[1] !== rank)
    throw new EngineError(
      'bad-input',
      `Factors [${up.shape.join(', ')}] and [${down.shape.join(', ')}] do not fit a weight of shape [${rows}, ${columns}].`,
    );
  const data = new Float32Array(base.data.length);
  const row = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) row[j] = base.data[i * columns + j] as number;
    for (let r = 0; r < rank; r++) {
      const factor = scale * (up.data[i * rank + r] as number);
      if (factor === 0) continue;
      for (let j = 0; j < columns; j++) row[j] = (row[j] as number) + factor * (down.data[r * columns + j] as number);
    }
    data.set(row, i * columns);
  }
  return { shape: base.shape, data };
}

/** B·A: [n, k] and [k, m] to [n, m]. */
export function product(left: Tensor, right: Tensor): Tensor {
  const shape = [left.shape[0] as number, right.shape[1] as number];
  return addProduct({ shape, data: new Float32Array((shape[0] as number) * (shape[1] as number)) }, left, right, 1);
}

/** Each value by what `change` makes of it and its place. */
export function mapped(x: Tensor, change: (value: number, row: number, column: number) => number): Tensor {
  const columns = x.shape.at(-1) as number;
  return { shape: x.shape, data: x.data.map((value, i) => change(value, Math.floor(i / columns), i % columns)) };
}

/** [n, m] to [m, n]. */
export function transposed(x: Tensor): Tensor {
  const [rows, columns] = sidesOf(x);
  const data = new Float32Array(x.data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) data[j * rows + i] = x.data[i * columns + j] as number;
  return { shape: [columns, rows], data };
}

/** The base's weight of a linear layer as [out, in], however its checkpoint stores it. */
export async function readWeight(site: LinearSite, read: StartSource['read']): Promise<Tensor> {
  const stored = await read(`${site.module}.weight`);
  return site.transposed ? transposed(stored) : stored;
}

/** Euclidean length of each row of [n, m]: [n]. */
export function rowLengths(x: Tensor): Float32Array {
  const [rows, columns] = sidesOf(x);
  return Float32Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += (x.data[i * columns + j] as number) ** 2;
    return Math.sqrt(sum);
  });
}

/** Matrices one below the other: [n, m] and [k, m] to [n + k, m]. */
export function below(top: Tensor, bottom: Tensor): Tensor {
  const data = new Float32Array(top.data.length + bottom.data.length);
  data.set(top.data);
  data.set(bottom.data, top.data.length);
  return { shape: [(top.shape[0] as number) + (bottom.shape[0] as number), top.shape[1] as number], data };
}

/** Matrices side by side: [n, m] and [n, k] to [n, m + k]. */
export function beside(left: Tensor, right: Tensor): Tensor {
  const [rows, first] = sidesOf(left);
  const second = right.shape[1] as number;
  const data = new Float32Array(rows * (first + second));
  for (let i = 0; i < rows; i++) {
    data.set(left.data.subarray(i * first, (i + 1) * first), i * (first + second));
    data.set(right.data.subarray(i * second, (i + 1) * second), i * (first + second) + first);
  }
  return { shape: [rows, first + second], data };
}
