/** Several training steps as one ONNX graph: copies of the step's graph, each reading what the one before has written. */
import { clone, create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from 'onnx-buf';

export interface StepState {
  /** Outputs that are the next step's values of an input. */
  readonly over: ReadonlyMap<string, string>;
  /** Inputs that show such inputs' values, one after another, in a shape of their own. */
  readonly wholes: ReadonlyMap<string, { readonly parts: readonly string[]; readonly dims: readonly number[] }>;
  /** An output that is asked for once only; null where there is none. */
  readonly mark: string | null;
}

/** Name of a value of one of the steps, counted from 0. */
export const ofStep = (name: string, step: number) => `${name} of step ${step}`;

/** Batches differ in their sizes from step to step. */
function infoOf(value: ValueInfoProto, name: string, step: number): ValueInfoProto {
  const info = clone(ValueInfoProtoSchema, value);
  info.name = name;
  if (info.type?.value.case === 'tensorType')
    for (const dim of info.type.value.value.shape?.dim ?? [])
      if (dim.value.case === 'dimParam') dim.value.value = ofStep(dim.value.value, step);
  return info;
}

/**
 * A model whose inputs and outputs are those of each step by `ofStep`, but that state goes in and comes out once, by its own name.
 * Weights and constants are shared. @throws Error for nodes with graphs of their own, which it cannot rename
 */
export function unroll(bytes: Uint8Array, steps: number, { over, wholes, mark }: StepState): Uint8Array {
  const model = fromBinary(ModelProtoSchema, bytes);
  const { graph } = model;
  if (graph === undefined) throw new Error('The model has no graph.');
  const shared = new Set([...graph.initializer.map(({ name }) => name), '']);
  const outputOf = new Map([...over].map(([output, input]) => [input, output]));
  const states = new Set([...over.values(), ...wholes.keys()]);
  const [nodes, inputs, outputs]: [NodeProto[], typeof graph.input, typeof graph.output] = [[], [], []];
  for (let step = 0; step < steps; step++) {
    const last = step === steps - 1;
    const named = (name: string) => {
      if (shared.has(name) || name === mark) return name;
      if (states.has(name)) return step === 0 ? name : ofStep(outputOf.get(name) ?? name, step - 1);
      return last && over.has(name) ? name : ofStep(name, step);
    };
    if (step > 0)
      for (const [name, { parts, dims }] of wholes) {
        const before = parts.map((part) => named(part));
        const [joined, shape, whole] = [`${name} joined`, `${name} shape`, name].map((own) => ofStep(own, step - 1));
        const axis = create(AttributeProtoSchema, { name: 'axis', i: 0n, type: AttributeProto_AttributeType.INT });
        nodes.push(
          create(NodeProtoSchema, { opType: 'Concat', input: before, output: [joined ?? ''], attribute: [axis] }),
          create(NodeProtoSchema, { opType: 'Reshape', input: [joined ?? '', shape ?? ''], output: [whole ?? ''] }),
        );
        const [dataType, sizes] = [TensorProto_DataType.INT64, dims.map(BigInt)];
        graph.initializer.push(
          create(TensorProtoSchema, { name: shape ?? '', dims: [BigInt(dims.length)], dataType, int64Data: sizes }),
        );
      }
    for (const node of graph.node) {
      if (step > 0 && mark !== null && node.output.includes(mark)) continue;
      const own = clone(NodeProtoSchema, node);
      if (own.attribute.some(({ g }) => g !== undefined)) throw new Error(`${node.opType} has a graph of its own.`);
      own.name = ofStep(node.name, step);
      own.input = node.input.map(named);
      own.output = node.output.map(named);
      nodes.push(own);
    }
    for (const input of graph.input) {
      if (states.has(input.name) && step > 0) continue;
      inputs.push(infoOf(input, named(input.name), step));
    }
    for (const output of graph.output) {
      if (output.name === mark ? step > 0 : over.has(output.name) && !last) continue;
      outputs.push(infoOf(output, named(output.name), step));
    }
  }
  Object.assign(graph, { node: nodes, input: inputs, output: outputs });
  return toBinary(ModelProtoSchema, model);
}
