/** The weights of a last layer that gives chosen outputs. */
import { EngineError } from '../errors.js';

/**
 * The smallest W [outputs, width] with inputs · Wᵀ = targets, for inputs [rows, width] of full row rank and targets
 * [rows, outputs]: Wᵀ = Hᵀ(HHᵀ)⁻¹T. Throws EngineError 'bad-input' where the rows are not independent.
 */
export function smallestWeights(
  inputs: Float32Array,
  targets: Float32Array,
  { rows, width, outputs }: { readonly rows: number; readonly width: number; readonly outputs: number },
): Float32Array {
  const products = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += (inputs[i * width + k] as number) * (inputs[j * width + k] as number);
      products[i * rows + j] = sum;
    }
  choleskyInPlace(products, rows);
  const weights = new Float32Array(outputs * width);
  const column = new Float64Array(rows);
  for (let output = 0; output < outputs; output++) {
    for (let i = 0; i < rows; i++) column[i] = targets[i * outputs + output] as number;
    solveInPlace(products, rows, column);
    const row = weights.subarray(output * width, (output + 1) * width);
    for (let i = 0; i < rows; i++)
      for (let k = 0; k < width; k++)
        row[k] = (row[k] as number) + (column[i] as number) * (inputs[i * width + k] as number);
  }
  return weights;
}

/** The lower triangle of a symmetric positive matrix becomes L with LLᵀ = A. */
function choleskyInPlace(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j] as number;
      for (let k = 0; k < j; k++) sum -= (a[i * n + k] as number) * (a[j * n + k] as number);
      if (i !== j) a[i * n + j] = sum / (a[j * n + j] as number);
      else if (sum > 0) a[i * n + i] = Math.sqrt(sum);
      else
        throw new EngineError(
          'bad-input',
          'The virtual tokens are not independent of each other.',
          'Use fewer of them.',
        );
    }
}

/** x with LLᵀx = b, in place of b. */
function solveInPlace(l: Float64Array, n: number, b: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = b[i] as number;
    for (let k = 0; k < i; k++) sum -= (l[i * n + k] as number) * (b[k] as number);
    b[i] = sum / (l[i * n + i] as number);
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = b[i] as number;
    for (let k = i + 1; k < n; k++) sum -= (l[k * n + i] as number) * (b[k] as number);
    b[i] = sum / (l[i * n + i] as number);
  }
}
