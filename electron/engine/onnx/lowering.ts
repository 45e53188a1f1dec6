/** What a lowering rule may do: name values, emit ONNX nodes, make constants and shape tensors. */
import { create } from '@bufbuild/protobuf';
import { GraphProtoSchema, type GraphProto, type NodeProto, type TensorProto, type ValueInfoProto } from 'onnx-buf';
import { EngineError } from '../errors.js';
import { isStatic, termsOf, type Dim, type Shape } from '../graph/dims.js';
import type { Graph } from '../graph/graph.js';
import type { Node, TensorType, Value } from '../graph/ir.js';
import type { EightBitWeight } from './eight-bit.js';
import { elementType, floatInfo, nodeProto, tensorProto, valueInfo, type AttributeValue } from './protobuf.js';

/** Kernels differ: `cpu` has FusedMatMul with transposes inside, the GPU providers have the plain ops only. */
export type LoweringTarget = 'cpu' | 'gpu';

export interface EmitOptions {
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly domain?: string;
  readonly outputs?: readonly string[];
}

/** Name of a weight as its file holds it. */
export const storedName = (name: string) => `${name} (stored)`;

export class Lowering {
  readonly initializers: TensorProto[] = [];
  /** Weights that products ask for in 8 bits. */
  readonly eightBit = new Map<string, EightBitWeight>();
  readonly #lent = new Map<Value, string>();
  readonly #needed = new Set<Value>();
  readonly #uses = new Map<Value, number>();
  readonly #blocks: NodeProto[][] = [];
  readonly #prelude: NodeProto[] = [];
  readonly #constants = new Map<string, string>();
  readonly #sizes = new Map<string, string>();
  readonly #dims = new Map<Dim, string>();
  readonly #names = new Map<Value, string>();
  #block: NodeProto[] = [];
  #temporaries = 0;

  constructor(
    readonly graph: Graph,
    readonly target: LoweringTarget,
    live: readonly Node[],
    /** Weights that stay in half precision and are widened where they are used, each time anew. */
    readonly halves: ReadonlySet<string> = new Set(),
    /** Weights whose products are computed in 8 bits. */
    readonly eights: ReadonlySet<string> = new Set(),
  ) {
    for (const node of live) for (const value of node.inputs) this.#uses.set(value, (this.#uses.get(value) ?? 0) + 1);
    for (const { name, value } of graph.outputs) {
      this.#uses.set(value, (this.#uses.get(value) ?? 0) + 1);
      if (!this.#names.has(value) && value.node.op !== 'input' && value.node.op !== 'parameter')
        this.#names.set(value, name);
    }
  }

  /** Runs a rule for a node; nodes are lowered last to first, so that what nobody asks for is never emitted. */
  block(lower: () => void): void {
    this.#block = [];
    lower();
    this.#blocks.push(this.#block);
  }

  nodes(): NodeProto[] {
    return [...this.#prelude, ...this.#blocks.reverse().flat()];
  }

  /**
   * Name of an operand; asking makes its node needed. A weight of half precision is widened once `known`, what it meets, has been
   * computed: the runtime would widen all weights at the start.
   */
  use(value: Value, known?: string): string {
    this.#needed.add(value);
    const { node } = value;
    if (node.op !== 'parameter' || !this.halves.has(node.attributes.name)) return this.nameOf(value);
    const stored = storedName(node.attributes.name);
    return this.widen(known === undefined ? stored : this.after(stored, known));
  }

  /** A tensor of half precision as float32. */
  widen(stored: string, outputs?: readonly string[]): string {
    return this.emit('Cast', [stored], { attributes: { to: elementType.float32 }, outputs });
  }

  /** A tensor, there only once `known` has been computed: it takes its own shape, read with that of what it waits for; no value is moved. */
  after(x: string, known: string, outputs?: readonly string[]): string {
    const nothing = this.emit('Mul', [
      this.emit('Shape', [known], { attributes: { end: 1 } }),
      this.constant('0 of a shape', [1], BigInt64Array.of(0n)),
    ]);
    return this.emit('Reshape', [x, this.emit('Add', [this.emit('Shape', [x]), nothing])], { outputs });
  }

  /** A weight of `eights`, which the writer declares after the weights themselves. */
  inEightBits(value: Value, transposed: boolean): EightBitWeight {
    const name = this.use(value);
    const whole = `${name} (8 bits${transposed ? ', transposed' : ''})`;
    const weight = { name, transposed, whole, unit: `unit of ${whole}` };
    this.eightBit.set(whole, weight);
    return weight;
  }

  /** Name of the units of a product's rows [rows, 1], which that product is not multiplied by then. */
  borrowUnits(product: Value): string {
    const name = `units of ${this.nameOf(product)}`;
    this.#lent.set(product, name);
    return name;
  }

  /** The name that the units of a product's rows have been borrowed under. */
  lentUnits(product: Value): string | undefined {
    return this.#lent.get(product);
  }

  nameOf(value: Value): string {
    const { node } = value;
    if (node.op === 'input' || node.op === 'parameter') return node.attributes.name;
    return this.#names.get(value) ?? `v${value.id}`;
  }

  setName(value: Value, name: string): void {
    this.#names.set(value, name);
  }

  isNeeded(node: Node): boolean {
    return node.outputs.some((value) => this.#needed.has(value));
  }

  /** Output names of a node; '' for a trailing output that nobody reads. */
  output(node: Node, index = 0): string {
    return this.nameOf(node.outputs[index] as Value);
  }

  reads(node: Node, index: number): boolean {
    return this.#needed.has(node.outputs[index] as Value);
  }

  usedOnce(value: Value): boolean {
    return this.#uses.get(value) === 1;
  }

  emit(opType: string, inputs: readonly string[], { attributes = {}, domain = '', outputs }: EmitOptions = {}): string {
    const names = outputs ?? [`t${this.#temporaries++}`];
    this.#block.push(nodeProto(opType, inputs, names, attributes, domain));
    return names[0] as string;
  }

  /** A graph inside a node, which may use all that stands outside of it. `lower` gets its inputs' names and names its outputs. */
  #inner(
    inputs: readonly { readonly name: string; readonly type: TensorType }[],
    lower: (names: readonly string[]) => readonly ValueInfoProto[],
  ): GraphProto {
    const outside = this.#block;
    this.#block = [];
    const own = inputs.map(({ name, type }) => valueInfo(`${name}${this.#temporaries++}`, type));
    const output = [...lower(own.map(({ name }) => name))];
    const node = this.#block;
    this.#block = outside;
    return create(GraphProtoSchema, { name: `body${this.#temporaries++}`, node, input: own, output });
  }

  /**
   * The body of a loop. `lower` gets the number of the round and what is carried along, and names what is carried on and what is
   * collected over the rounds.
   */
  body(
    carried: readonly { readonly name: string; readonly type: TensorType }[],
    lower: (at: string, carried: readonly string[]) => { carried: readonly string[]; collected: readonly string[] },
  ): GraphProto {
    const counters: readonly { readonly name: string; readonly type: TensorType }[] = [
      { name: 'at', type: { dtype: 'int64', shape: [] } },
      { name: 'go', type: { dtype: 'bool', shape: [] } },
    ];
    return this.#inner([...counters, ...carried], ([at, go, ...own]) => {
      const result = lower(at as string, own);
      return [
        valueInfo(this.emit('Identity', [go as string]), { dtype: 'bool', shape: [] }),
        ...result.carried.map((name, i) => valueInfo(name, (carried[i] as (typeof carried)[number]).type)),
        ...result.collected.map((name) => floatInfo(name)),
      ];
    });
  }

  /** Runs a body `rounds` times; names of what was carried to the end and of the `collected` values, stacked over the rounds. */
  loop(rounds: string, start: readonly string[], body: GraphProto, collected: number): (string | undefined)[] {
    const made = Array.from({ length: start.length + collected }, () => `t${this.#temporaries++}`);
    this.emit('Loop', [rounds, '', ...start], { attributes: { body }, outputs: made });
    return start.length ? made : [undefined, ...made];
  }

  /**
   * Goes along the first axis of `parts`, whose slices are not copied. `lower` gets what is carried along and a slice of each, and
   * names what is carried on and what is written, slice by slice, into the results: names of what was carried to the end and of these.
   */
  scan(
    carried: readonly { readonly start: string; readonly type: TensorType }[],
    parts: readonly { readonly name: string; readonly slice: TensorType }[],
    lower: (carried: readonly string[], slices: readonly string[]) => readonly (readonly [string, TensorType])[],
  ): string[] {
    const inputs = [
      ...carried.map(({ type }) => ({ name: 'carried', type })),
      ...parts.map(({ slice }) => ({ name: 'slice', type: slice })),
    ];
    const body = this.#inner(inputs, (names) =>
      lower(names.slice(0, carried.length), names.slice(carried.length)).map(([name, type]) => valueInfo(name, type)),
    );
    const outputs = body.output.map(() => `t${this.#temporaries++}`);
    this.emit('Scan', [...carried.map(({ start }) => start), ...parts.map(({ name }) => name)], {
      attributes: { body, num_scan_inputs: parts.length },
      outputs,
    });
    return outputs;
  }

  /** The outputs of one of two graphs, alike in number and types. */
  choose(condition: string, yes: () => readonly string[], no: () => readonly string[]): string[] {
    const branch = (lower: () => readonly string[]) => this.#inner([], () => lower().map((name) => floatInfo(name)));
    const [then, other] = [branch(yes), branch(no)];
    const outputs = then.output.map(() => `t${this.#temporaries++}`);
    this.emit('If', [condition], { attributes: { then_branch: then, else_branch: other }, outputs });
    return outputs;
  }

  #early(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    const name = `t${this.#temporaries++}`;
    this.#prelude.push(nodeProto(opType, inputs, [name], attributes));
    return name;
  }

  float(value: number): string {
    return this.constant(`f${value}`, [], new Float32Array([value]));
  }

  ints(values: readonly number[]): string {
    return this.constant(`i${values.join()}`, [values.length], BigInt64Array.from(values, BigInt));
  }

  constant(key: string, shape: readonly number[], data: Float32Array | BigInt64Array): string {
    const known = this.#constants.get(key);
    if (known) return known;
    const name = `c${this.#constants.size}`;
    this.#constants.set(key, name);
    this.initializers.push(tensorProto(name, shape, data));
    return name;
  }

  /** An int64 vector that holds a shape; unknown sizes are read off the graph's inputs at run time. */
  shape(shape: Shape, { infer = false } = {}): string {
    if (isStatic(shape)) return this.ints(shape);
    if (infer && shape.filter((dim) => typeof dim !== 'number').length === 1) {
      return this.ints(shape.map((dim) => (typeof dim === 'number' ? dim : -1)));
    }
    const key = `shape ${shape.join()}`;
    const known = this.#sizes.get(key);
    if (known) return known;
    const name = this.#early(
      'Concat',
      shape.map((dim) => this.dim(dim)),
      { axis: 0 },
    );
    this.#sizes.set(key, name);
    return name;
  }

  /** One dimension as an int64 vector of length 1. */
  dim(dim: Dim): string {
    if (typeof dim === 'number') return this.ints([dim]);
    const known = this.#dims.get(dim);
    if (known) return known;
    const terms = termsOf(dim).map(({ coefficient, symbols }) => {
      const factors = symbols.map((symbol) => this.#size(symbol));
      if (coefficient !== 1 || factors.length === 0) factors.push(this.ints([coefficient]));
      return factors.reduce((product, factor) => this.#early('Mul', [product, factor]));
    });
    const name = terms.reduce((sum, term) => this.#early('Add', [sum, term]));
    this.#dims.set(dim, name);
    return name;
  }

  #size(symbol: string): string {
    const known = this.#dims.get(symbol);
    if (known) return known;
    for (const node of this.graph.nodes) {
      if (node.op !== 'input') continue;
      const axis = node.attributes.type.shape.indexOf(symbol);
      if (axis < 0 || !this.#needed.has(node.outputs[0] as Value)) continue;
      const name = this.#early('Shape', [node.attributes.name], { start: axis, end: axis + 1 });
      this.#dims.set(symbol, name);
      return name;
    }
    throw new EngineError('bad-graph', `No input of the graph tells the size of "${symbol}".`);
  }

  /** Marks inputs as present, so that sizes can be read off them. */
  markInput(value: Value): void {
    this.#needed.add(value);
  }
}
