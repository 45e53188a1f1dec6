/**
 * Products with frozen weights in 8 bits, as LLM.int8() computes them (Dettmers et al. 2022, §3.1, vector-wise quantization, without
 * its part for outliers): each row of x and each column of W by its own largest value, whole numbers between, whole products.
 * Gradients pass as if nothing had been rounded: the backward pass is such a product itself, its rows those of the gradient, its
 * columns those of Wᵀ.
 */
import type { NodeOf, Value } from '../graph/ir.js';
import type { Lowering } from './lowering.js';
import { elementType } from './protobuf.js';

/** What keeps a row or a column of nothing but zeros from being divided by zero. */
const TINY = 1e-20;

/** A weight in 8 bits that products ask for: float32 [in, out] by name, or [out, in] where `transposed`. */
export interface EightBitWeight {
  readonly name: string;
  readonly transposed: boolean;
  /** Names of the whole numbers [in, out] and of what a one of them is worth, [out]. */
  readonly whole: string;
  readonly unit: string;
}

/**
 * The weight from its float32 values: the runtime computes it once, when the session is made, and lets those values go. No step of it
 * makes another float32 matrix.
 * @param most the largest whole number that a value becomes
 */
export function declareEightBit(c: Lowering, { name, transposed, whole, unit }: EightBitWeight, most: number): void {
  const [inputs, outputs] = transposed ? [1, 0] : [0, 1];
  const along = (op: string) => c.emit(op, [name, c.ints([inputs])], { attributes: { keepdims: 0 } });
  const largest = c.emit('Max', [along('ReduceMax'), c.emit('Neg', [along('ReduceMin')]), c.float(TINY)]);
  c.emit('Div', [largest, c.float(most)], { outputs: [unit] });
  const zeros = c.emit('Cast', [c.emit('Mul', [unit, c.float(0)])], { attributes: { to: elementType.int8 } });
  const rounded = c.emit('QuantizeLinear', [name, unit, zeros], {
    attributes: { axis: outputs },
    outputs: transposed ? undefined : [whole],
  });
  if (transposed) c.emit('Transpose', [rounded], { attributes: { perm: [1, 0] }, outputs: [whole] });
}

/** Does `lowerEightBit` take this product? */
export function isEightBit(c: Lowering, node: NodeOf<'matmul'>): boolean {
  const [x, { node: weight }] = node.inputs as readonly [Value, Value];
  const known = weight.op === 'parameter' && c.eights.has(weight.attributes.name);
  return known && x.node.op !== 'parameter' && !node.attributes.transA;
}

/**
 * The product of which x is a multiple by GELU's slope, where x is nothing else: its rows are as large as those of the slopes are
 * about one, so the unit of each need not be looked for anew, nor put in between.
 */
function sloped(c: Lowering, x: Value): Value | null {
  if (x.node.op !== 'mul' || !c.usedOnce(x)) return null;
  const [product, slope] = x.node.inputs as readonly [Value, Value];
  if (slope.node.op !== 'gelu' || product.node.op !== 'matmul' || !c.usedOnce(product)) return null;
  return product.node.attributes.alpha === 1 && isEightBit(c, product.node) ? product : null;
}

/** y = α·x·W + b for rows x [rows, in], W of the product, and a row b [out]. */
export function lowerEightBit(c: Lowering, node: NodeOf<'matmul'>, bias: Value | null, output: string): void {
  const { alpha, transB } = node.attributes;
  const [x, parameter] = node.inputs as readonly [Value, Value];
  const { whole, unit } = c.inEightBits(parameter, transB);
  const product = (rows: string, outputs?: readonly string[]) =>
    c.emit('DynamicQuantizeMatMul', [rows, whole, unit], { domain: 'com.microsoft', outputs });
  const before = sloped(c, x);
  let [rows, units] = [c.use(x), ''];
  if (before) units = c.borrowUnits(before);
  else {
    const most = c.emit('ReduceMax', [c.emit('Abs', [rows]), c.ints([1])], { attributes: { keepdims: 1 } });
    const lent = c.lentUnits(node.outputs[0] as Value);
    units = c.emit('Add', [most, c.float(TINY)], { outputs: lent === undefined ? undefined : [lent] });
    rows = c.emit('Div', [rows, units]);
    if (lent !== undefined) return void product(rows, [output]);
  }
  const scale = alpha === 1 ? units : c.emit('Mul', [units, c.float(alpha)]);
  const y = c.emit('Mul', [product(rows), scale], { outputs: bias === null ? [output] : undefined });
  if (bias !== null) c.emit('Add', [y, c.use(bias)], { outputs: [output] });
}
