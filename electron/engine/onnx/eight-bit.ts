/**
 * Products with frozen weights in 8 bits, as LLM.int8() computes them (Dettmers et al. 2022, §3.1, vector-wise quantization, without
 * its part for outliers): each row of x and each column of W by its own largest value, whole numbers between, whole products. Rows
 * that a norm or an activation made alike share one unit, which saves four passes over them.
 * Gradients pass as if nothing had been rounded: the backward pass is such a product itself, its rows those of the gradient, its
 * columns those of Wᵀ.
 */
import type { NodeOf, Op, Value } from '../graph/ir.js';
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

/** Ops that move or drop values of what they are given. */
const moving: ReadonlySet<Op> = new Set(['reshape', 'transpose', 'gather', 'slice', 'dropout', 'after', 'detach']);
/** Ops whose rows are about equally large for every token. */
const even: ReadonlySet<Op> = new Set(['layerNorm', 'rmsNorm', 'gelu', 'attend']);

/** Whether one unit does for all rows: those of gradients, and of what is multiplied (SwiGLU), differ by orders of magnitude. */
function hasEvenRows({ node }: Value): boolean {
  if (even.has(node.op)) return true;
  if (node.op === 'scatterAdd') return hasEvenRows(node.inputs[1] as Value);
  return moving.has(node.op) && hasEvenRows(node.inputs[0] as Value);
}

/** A product as `lowerEightBit` takes it, or null for another. */
export function eightBitProduct(c: Lowering, node: NodeOf<'matmul'>): { x: Value; weight: NodeOf<'parameter'> } | null {
  const [x, { node: weight }] = node.inputs as readonly [Value, Value];
  const fits = weight.op === 'parameter' && c.eights.has(weight.attributes.name) && x.node.op !== 'parameter';
  return fits && !node.attributes.transA ? { x, weight } : null;
}

/**
 * The product of which x is a multiple by GELU's slope, where x is nothing else: its rows are as large as those of the slopes are
 * about one, so the unit of each need not be looked for anew, nor put in between.
 */
function sloped(c: Lowering, x: Value): Value | null {
  if (x.node.op !== 'mul' || !c.usedOnce(x)) return null;
  const [product, slope] = x.node.inputs as readonly [Value, Value];
  if (slope.node.op !== 'gelu' || product.node.op !== 'matmul' || !c.usedOnce(product)) return null;
  const own = product.node.attributes.alpha === 1 && eightBitProduct(c, product.node);
  return own && !hasEvenRows(own.x) ? product : null;
}

/** y = α·x·W + b for rows x [rows, in], W of the product, and a row b [out]. */
export function lowerEightBit(c: Lowering, node: NodeOf<'matmul'>, bias: Value | null, output: string): void {
  const { alpha, transB } = node.attributes;
  const [x, parameter] = node.inputs as readonly [Value, Value];
  const weight = c.inEightBits(parameter, transB);
  const product = (rows: string, { outputs, bias: added }: { outputs?: string[]; bias?: string } = {}) =>
    c.emit('DynamicQuantizeMatMul', [rows, weight.whole, weight.unit, ...(added === undefined ? [] : ['', added])], {
      domain: 'com.microsoft',
      outputs,
    });
  if (alpha === 1 && hasEvenRows(x)) {
    product(c.use(x), { outputs: [output], ...(bias ? { bias: c.use(bias) } : {}) });
    return;
  }
  const before = sloped(c, x);
  let [name, units] = [c.use(x), ''];
  if (before) units = c.borrowUnits(before);
  else {
    const most = c.emit('ReduceMax', [c.emit('Abs', [name]), c.ints([1])], { attributes: { keepdims: 1 } });
    const lent = c.lentUnits(node.outputs[0] as Value);
    units = c.emit('Add', [most, c.float(TINY)], { outputs: lent === undefined ? undefined : [lent] });
    name = c.emit('Div', [name, units]);
    if (lent !== undefined) return void product(name, { outputs: [output] });
  }
  const scale = alpha === 1 ? units : c.emit('Mul', [units, c.float(alpha)]);
  const y = c.emit('Mul', [product(name), scale], { outputs: bias === null ? [output] : undefined });
  if (bias !== null) c.emit('Add', [y, c.use(bias)], { outputs: [output] });
}
