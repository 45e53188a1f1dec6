/** Writes a graph as an ONNX model. Frozen weights stay in their files and are named by offset. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  type TensorProto,
  type ValueInfoProto,
} from 'onnx-buf';
import { EngineError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { Op } from '../graph/ir.js';
import { verifyGraph } from '../graph/verify.js';
import { declareEightBit } from './eight-bit.js';
import { Lowering, storedName, type LoweringTarget } from './lowering.js';
import { externalTensorProto, sequenceInfo, storedType, tensorProto, valueInfo } from './protobuf.js';
import { loweringRules, type LoweringRule } from './rules.js';

/** Where the bytes of a frozen parameter lie: in a file beside the model, or in memory. */
export type WeightSource =
  | { readonly file: string; readonly offset: number; readonly length: number; readonly dtype: string }
  | { readonly data: Float32Array };

export interface OnnxOptions {
  readonly target: LoweringTarget;
  /** Source of a frozen parameter, by name. `file` is relative to the folder that the session is given. */
  readonly weights: (name: string) => WeightSource;
  /** Large weights of half precision stay so and are widened where they are used; left out: when the session is made. */
  readonly keepHalves?: boolean;
  /** Products with frozen matrices are computed in 8 bits, the largest value of a column as this whole number; left out: none. */
  readonly eightBit?: number;
  /** Name of an output before all others, an empty sequence (see GraphSession); left out: there is none. */
  readonly mark?: string;
}

export interface OnnxModel {
  readonly bytes: Uint8Array;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Weights that are widened at each run. */
  readonly halves: number;
}

const halfTypes = new Set(['F16', 'BF16']);
/** Numbers from which on a weight is worth the widening. */
const LARGE = 65_536;
const IR_VERSION = 10n;
const OPSET = 20n;

/** Verifies and lowers the live part of a graph. Throws EngineError 'bad-graph' or 'bad-model' (a weight of a dtype ONNX lacks). */
export function writeOnnx(
  graph: Graph,
  { target, weights, keepHalves = false, eightBit, mark }: OnnxOptions,
): OnnxModel {
  verifyGraph(graph);
  const live = graph.live();
  const frozen = live.flatMap((node) => (node.op === 'parameter' && !node.attributes.trainable ? [node] : []));
  const isHalf = (name: string) => {
    const source = weights(name);
    return 'dtype' in source && halfTypes.has(source.dtype);
  };
  const named = (which: (node: (typeof frozen)[number]) => boolean) =>
    new Set(frozen.filter(which).map(({ attributes: { name } }) => name));
  const halves = named(
    ({ attributes: { name, shape } }) => keepHalves && shape.reduce((a, d) => a * d, 1) >= LARGE && isHalf(name),
  );
  // Tables of words stay as they are, also where texts are told by them.
  const tables = new Set(live.flatMap((node) => (node.op === 'gather' ? [node.inputs[0]?.node] : [])));
  const eights = named((node) => eightBit !== undefined && node.attributes.shape.length === 2 && !tables.has(node));
  const c = new Lowering(graph, target, live, halves, eights);
  const inputs: ValueInfoProto[] = [];
  for (const node of live) {
    if (node.op === 'input') c.markInput(node.outputs[0] as never);
    if (node.op === 'input') inputs.push(valueInfo(node.attributes.name, node.attributes.type));
    else if (node.op === 'parameter' && node.attributes.trainable)
      inputs.push(valueInfo(node.attributes.name, { dtype: 'float32', shape: node.attributes.shape }));
  }
  // An output that is also another output, or a leaf, needs a name of its own.
  c.block(() => {
    for (const { name, value } of graph.outputs) {
      if (c.use(value) !== name) c.emit('Identity', [c.use(value)], { outputs: [name] });
    }
  });
  if (mark !== undefined) c.block(() => c.emit('SequenceEmpty', [], { outputs: [mark] }));
  for (const node of [...live].reverse()) {
    if (c.isNeeded(node)) c.block(() => (loweringRules[node.op] as LoweringRule<Op>)(c, node as never));
  }
  const stored: TensorProto[] = [];
  c.block(() => {
    for (const node of frozen)
      stored.push(declareWeight(c, node.attributes.name, node.attributes.shape, weights(node.attributes.name)));
    if (eightBit !== undefined) for (const weight of c.eightBit.values()) declareEightBit(c, weight, eightBit);
  });
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'PEFT Studio',
    opsetImport: [
      create(OperatorSetIdProtoSchema, { domain: '', version: OPSET }),
      create(OperatorSetIdProtoSchema, { domain: 'com.microsoft', version: 1n }),
    ],
    graph: create(GraphProtoSchema, {
      name: 'graph',
      node: c.nodes(),
      initializer: [...c.initializers, ...stored],
      input: inputs,
      output: [
        ...(mark === undefined ? [] : [sequenceInfo(mark)]),
        ...graph.outputs.map(({ name, value }) => valueInfo(name, value.type)),
      ],
    }),
  });
  return {
    bytes: toBinary(ModelProtoSchema, model),
    inputs: inputs.map((input) => input.name),
    outputs: graph.outputs.map((output) => output.name),
    halves: halves.size,
  };
}

/** Half-precision weights are stored as they are and widened when the session is made, or where they are used. */
function declareWeight(c: Lowering, name: string, shape: readonly number[], source: WeightSource): TensorProto {
  if ('data' in source) return tensorProto(name, shape, source.data);
  const type = storedType[source.dtype];
  if (type === undefined)
    throw new EngineError(
      'bad-model',
      `Weight ${name} is stored as ${source.dtype}, which cannot be trained on.`,
      'Convert the model to float32, float16 or bfloat16.',
      { name, dtype: source.dtype },
    );
  if (source.dtype === 'F32') return externalTensorProto(name, shape, type, source.file, source.offset, source.length);
  const raw = storedName(name);
  if (!c.halves.has(name)) c.widen(raw, [name]);
  return externalTensorProto(raw, shape, type, source.file, source.offset, source.length);
}
