/** Thin makers over onnx's own protobuf schema. */
import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType as Type,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_SequenceSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from 'onnx-buf';
import type { Shape } from '../graph/dims.js';
import type { DType, TensorType } from '../graph/ir.js';

export type AttributeValue = number | { readonly float: number } | string | readonly number[] | GraphProto;

export const elementType: Readonly<Record<DType | 'int8', Type>> = {
  float32: Type.FLOAT,
  int64: Type.INT64,
  bool: Type.BOOL,
  int8: Type.INT8,
};
/** Names of safetensors dtypes in ONNX. */
export const storedType: Readonly<Record<string, Type>> = {
  F32: Type.FLOAT,
  F16: Type.FLOAT16,
  BF16: Type.BFLOAT16,
  F64: Type.DOUBLE,
};

function attribute(name: string, value: AttributeValue): AttributeProto {
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: Kind.INT, i: BigInt(value) });
  if (typeof value === 'string')
    return create(AttributeProtoSchema, { name, type: Kind.STRING, s: new TextEncoder().encode(value) });
  if ('$typeName' in value) return create(AttributeProtoSchema, { name, type: Kind.GRAPH, g: value });
  if ('float' in value) return create(AttributeProtoSchema, { name, type: Kind.FLOAT, f: value.float });
  return create(AttributeProtoSchema, { name, type: Kind.INTS, ints: value.map(BigInt) });
}

export function nodeProto(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>>,
  domain = '',
): NodeProto {
  return create(NodeProtoSchema, {
    name: `${opType}_${outputs.find((output) => output !== '') ?? ''}`,
    opType,
    domain,
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  });
}

export function valueInfo(name: string, { dtype, shape }: TensorType): ValueInfoProto {
  const dim = (shape as Shape).map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value: typeof size === 'number' ? { case: 'dimValue', value: BigInt(size) } : { case: 'dimParam', value: size },
    }),
  );
  const tensorType = create(TypeProto_TensorSchema, {
    elemType: elementType[dtype],
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType } }),
  });
}

/** A float32 tensor whose shape is left to the runtime. */
export function floatInfo(name: string): ValueInfoProto {
  const tensorType = create(TypeProto_TensorSchema, { elemType: Type.FLOAT });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType } }),
  });
}

/** A sequence of float32 tensors. */
export function sequenceInfo(name: string): ValueInfoProto {
  const { type: elemType } = floatInfo('');
  const value = create(TypeProto_SequenceSchema, { elemType });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'sequenceType', value } }),
  });
}

export function tensorProto(name: string, shape: readonly number[], data: Float32Array | BigInt64Array): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: data instanceof Float32Array ? Type.FLOAT : Type.INT64,
    rawData: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
  });
}

/** A tensor whose bytes lie in a file beside the model: nothing is copied. */
export function externalTensorProto(
  name: string,
  shape: readonly number[],
  dataType: Type,
  location: string,
  offset: number,
  length: number,
): TensorProto {
  const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [entry('location', location), entry('offset', String(offset)), entry('length', String(length))],
  });
}
