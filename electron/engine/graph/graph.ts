/** A graph under construction: nodes are appended in topological order, equal nodes are shared. */
import { EngineError } from '../errors.js';
import { multiplyDims, sameShape, type Dim, type Shape } from './dims.js';
import type { DType, GraphOutput, Node, NodeOf, Op, OpAttributes, TensorType, Value } from './ir.js';
import { shapeRules, type ShapeRule } from './shapes.js';

export class Graph {
  readonly nodes: Node[] = [];
  readonly outputs: GraphOutput[] = [];
  readonly #shared = new Map<string, Node>();
  readonly #named = new Map<string, Value>();
  #values = 0;

  /** Appends a node (or finds its equal) and returns its outputs. Throws EngineError 'bad-graph' naming op and dims. */
  apply<K extends Op>(op: K, attributes: OpAttributes[K], inputs: readonly Value[]): readonly Value[] {
    const key =
      op === 'constant' ? null : `${op} ${JSON.stringify(attributes)} ${inputs.map((value) => value.id).join()}`;
    const known = key === null ? undefined : this.#shared.get(key);
    if (known) return known.outputs;
    const rule = shapeRules[op] as ShapeRule<K>;
    const types = rule(
      inputs.map((value) => value.type),
      attributes,
    );
    const outputs: Value[] = [];
    const node = { id: this.nodes.length, op, attributes, inputs, outputs } as NodeOf<K> as Node;
    types.forEach((type, index) => outputs.push({ id: this.#values++, type, node, index }));
    this.nodes.push(node);
    if (key !== null) this.#shared.set(key, node);
    return outputs;
  }

  #one<K extends Op>(op: K, attributes: OpAttributes[K], ...inputs: Value[]): Value {
    return this.apply(op, attributes, inputs)[0] as Value;
  }

  /** A named tensor that is fed at each run. Asking twice for a name gives the same value. */
  input(name: string, dtype: DType, shape: Shape): Value {
    const known = this.#named.get(name);
    if (known) {
      if (known.type.dtype !== dtype || !sameShape(known.type.shape, shape)) {
        throw new EngineError('bad-graph', `input ${name}: asked for with two types`, null, { name });
      }
      return known;
    }
    const value = this.#one('input', { name, type: { dtype, shape } });
    this.#named.set(name, value);
    return value;
  }

  parameter(name: string, shape: readonly number[], trainable: boolean): Value {
    const known = this.#named.get(name);
    if (known) return known;
    const value = this.#one('parameter', { name, shape, trainable });
    this.#named.set(name, value);
    return value;
  }

  output(name: string, value: Value): void {
    if (this.outputs.some((output) => output.name === name)) {
      throw new EngineError('bad-graph', `output ${name}: named twice`, null, { name });
    }
    this.outputs.push({ name, value });
  }

  constant(data: Float32Array | BigInt64Array, shape: Shape): Value {
    return this.#one('constant', { type: { dtype: data instanceof Float32Array ? 'float32' : 'int64', shape }, data });
  }

  readonly #scalars = new Map<number, Value>();
  scalar(value: number): Value {
    const known = this.#scalars.get(value);
    if (known) return known;
    const made = this.constant(new Float32Array([value]), []);
    this.#scalars.set(value, made);
    return made;
  }

  neg(x: Value): Value {
    return this.#one('neg', {}, x);
  }
  sqrt(x: Value): Value {
    return this.#one('sqrt', {}, x);
  }
  cos(x: Value): Value {
    return this.#one('cos', {}, x);
  }
  sin(x: Value): Value {
    return this.#one('sin', {}, x);
  }
  exp(x: Value): Value {
    return this.#one('exp', {}, x);
  }
  log(x: Value): Value {
    return this.#one('log', {}, x);
  }
  tanh(x: Value): Value {
    return this.#one('tanh', {}, x);
  }
  erf(x: Value): Value {
    return this.#one('erf', {}, x);
  }
  sigmoid(x: Value): Value {
    return this.#one('sigmoid', {}, x);
  }
  relu(x: Value): Value {
    return this.#one('relu', {}, x);
  }
  sign(x: Value): Value {
    return this.#one('sign', {}, x);
  }
  cast(x: Value, to: DType): Value {
    return x.type.dtype === to ? x : this.#one('cast', { to }, x);
  }
  detach(x: Value): Value {
    return this.#one('detach', {}, x);
  }
  /** x, once `known` [n, …] has been computed. */
  after(x: Value, known: Value): Value {
    return this.#one('after', {}, x, known);
  }
  gelu(x: Value, approximate: 'none' | 'tanh' = 'none'): Value {
    return this.#one('gelu', { approximate }, x);
  }
  /** silu(a)·b */
  swiglu(a: Value, b: Value): Value {
    return this.#one('swiglu', {}, a, b);
  }
  silu(x: Value): Value {
    return this.mul(x, this.sigmoid(x));
  }
  add(a: Value, b: Value): Value {
    return this.#one('add', {}, a, b);
  }
  sub(a: Value, b: Value): Value {
    return this.#one('sub', {}, a, b);
  }
  mul(a: Value, b: Value): Value {
    const one = this.#scalars.get(1);
    if (a === one || b === one) return a === one ? b : a;
    return this.#one('mul', {}, a, b);
  }
  div(a: Value, b: Value): Value {
    return this.#one('div', {}, a, b);
  }
  minimum(a: Value, b: Value): Value {
    return this.#one('minimum', {}, a, b);
  }
  equal(a: Value, b: Value): Value {
    return this.#one('equal', {}, a, b);
  }
  where(condition: Value, a: Value, b: Value): Value {
    return this.#one('where', {}, condition, a, b);
  }
  scale(x: Value, factor: number): Value {
    return factor === 1 ? x : this.mul(x, this.scalar(factor));
  }
  dropout(x: Value, mask: Value, scale: number): Value {
    return this.#one('dropout', { scale }, x, mask);
  }

  /** alpha · A'B' over the last two axes. */
  matmul(a: Value, b: Value, { transA = false, transB = false, alpha = 1 } = {}): Value {
    return this.#one('matmul', { transA, transB, alpha }, a, b);
  }
  softmax(x: Value): Value {
    return this.#one('softmax', {}, x);
  }
  logSoftmax(x: Value): Value {
    return this.#one('logSoftmax', {}, x);
  }
  layerNorm(x: Value, scale: Value, bias: Value, epsilon: number): Value {
    return this.#one('layerNorm', { epsilon }, x, scale, bias);
  }
  rmsNorm(x: Value, scale: Value, epsilon: number): Value {
    return this.#one('rmsNorm', { epsilon }, x, scale);
  }
  rotate(x: Value, heads: number, cos: Value, sin: Value): Value {
    return this.#one('rotate', { heads }, x, cos, sin);
  }
  /** Sum of the weighted losses [] and each row's own [n], which has no gradient. */
  tokenLoss(rows: Value, table: Value, labels: Value, weights: Value, chunk: number): { sum: Value; each: Value } {
    const [sum, each] = this.apply('tokenLoss', { chunk }, [rows, table, labels, weights]);
    return { sum: sum as Value, each: each as Value };
  }
  /** softmax(scores) · values, with an optional dropout mask on the weights. */
  attend(scores: Value, values: Value, dropout: { mask: Value; scale: number } | null = null): Value {
    return this.#one('attend', { scale: dropout?.scale ?? 1 }, scores, values, ...(dropout ? [dropout.mask] : []));
  }

  reduceSum(x: Value, axes: readonly number[], keepDims = false): Value {
    return this.#one('reduceSum', { axes, keepDims }, x);
  }
  reduceMean(x: Value, axes: readonly number[], keepDims = false): Value {
    return this.#one('reduceMean', { axes, keepDims }, x);
  }
  reduceMax(x: Value, axes: readonly number[], keepDims = false): Value {
    return this.#one('reduceMax', { axes, keepDims }, x);
  }
  cumulativeSum(x: Value, axis: number): Value {
    return this.#one('cumulativeSum', { axis }, x);
  }

  reshape(x: Value, shape: Shape): Value {
    return sameShape(x.type.shape, shape) ? x : this.#one('reshape', { shape }, x);
  }
  /** All axes but the last as one: [n, width]. */
  flatten(x: Value): Value {
    const { shape } = x.type;
    return this.reshape(x, [shape.slice(0, -1).reduce<Dim>(multiplyDims, 1), shape.at(-1) as Dim]);
  }
  transpose(x: Value, permutation: readonly number[]): Value {
    return permutation.every((axis, i) => axis === i) ? x : this.#one('transpose', { permutation }, x);
  }
  expand(x: Value, shape: Shape): Value {
    return sameShape(x.type.shape, shape) ? x : this.#one('expand', { shape }, x);
  }
  concat(values: readonly Value[], axis: number): Value {
    return values.length === 1 ? (values[0] as Value) : this.#one('concat', { axis }, ...values);
  }
  slice(x: Value, axis: number, start: Dim, end: Dim): Value {
    return start === 0 && end === x.type.shape[axis] ? x : this.#one('slice', { axis, start, end }, x);
  }
  pad(x: Value, axis: number, before: Dim, after: Dim): Value {
    return before === 0 && after === 0 ? x : this.#one('pad', { axis, before, after }, x);
  }
  /** `unique`: no index occurs twice, which the backward pass need not add up. */
  gather(table: Value, indices: Value, unique = false): Value {
    return this.#one('gather', { unique }, table, indices);
  }
  scatterAdd(indices: Value, updates: Value, rows: Dim, unique = false): Value {
    return this.#one('scatterAdd', { rows, unique }, indices, updates);
  }
  /** Rows added to those of a tensor. */
  addRows(to: Value, indices: Value, updates: Value): Value {
    return this.#one('scatterAdd', { rows: to.type.shape[0] as Dim, unique: false }, indices, updates, to);
  }

  /** Sum of all elements: []. */
  total(x: Value): Value {
    return this.reduceSum(
      x,
      x.type.shape.map((_, axis) => axis),
    );
  }

  /** Nodes that the outputs need, in order. */
  live(): Node[] {
    const needed = new Set<number>();
    const visit = this.outputs.map((output) => output.value.node);
    for (let node = visit.pop(); node; node = visit.pop()) {
      if (needed.has(node.id)) continue;
      needed.add(node.id);
      for (const value of node.inputs) visit.push(value.node);
    }
    return this.nodes.filter((node) => needed.has(node.id));
  }

  typeOf(name: string): TensorType | undefined {
    return this.#named.get(name)?.type;
  }
}
