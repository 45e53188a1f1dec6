/** Re-checks a graph after it was built, differentiated or rewritten, and prints it in a stable form. */
import { EngineError } from '../errors.js';
import { sameShape, shapeText } from './dims.js';
import type { Graph } from './graph.js';
import type { Node, Op, Value } from './ir.js';
import { shapeRules, type ShapeRule } from './shapes.js';

/** Throws EngineError 'bad-graph' where a value is used before it exists or a recorded type is not what its rule gives. */
export function verifyGraph(graph: Graph): void {
  const known = new Set<Value>();
  for (const node of graph.nodes) {
    for (const value of node.inputs) {
      if (!known.has(value))
        throw new EngineError('bad-graph', `${node.op} #${node.id}: uses %${value.id} before it is made`);
    }
    const rule = shapeRules[node.op] as ShapeRule<Op>;
    const types = rule(
      node.inputs.map((value) => value.type),
      node.attributes as never,
    );
    node.outputs.forEach((value, i) => {
      const type = types[i];
      if (!type || type.dtype !== value.type.dtype || !sameShape(type.shape, value.type.shape)) {
        throw new EngineError(
          'bad-graph',
          `${node.op} #${node.id}: output ${i} is recorded as ${shapeText(value.type.shape)}, its rule says ${type ? shapeText(type.shape) : 'nothing'}`,
        );
      }
      known.add(value);
    });
  }
  for (const { name, value } of graph.outputs) {
    if (!known.has(value)) throw new EngineError('bad-graph', `output ${name}: its value is not in the graph`);
  }
}

function attributesText(node: Node): string {
  if (node.op === 'constant') {
    const { data } = node.attributes;
    return data.length <= 4 ? ` ${[...data].join(' ')}` : ` ${data.length} values`;
  }
  const parts = Object.entries(node.attributes)
    .filter(([key, value]) => key !== 'type' && value !== false && !(key === 'alpha' && value === 1))
    .map(([key, value]) =>
      value === true ? key : `${key}=${Array.isArray(value) ? shapeText(value) : String(value)}`,
    );
  return parts.length ? ` ${parts.join(' ')}` : '';
}

/** One line a live node: `%3 = matmul transB %1 %2 : float32[batch, 4]`. Values are numbered in order of appearance. */
export function printGraph(graph: Graph): string {
  const names = new Map<Value, string>();
  const name = (value: Value): string => {
    const known = names.get(value);
    if (known) return known;
    const made = `%${names.size}`;
    names.set(value, made);
    return made;
  };
  const lines = graph.live().map((node) => {
    const inputs = node.inputs.map((value) => ` ${name(value)}`).join('');
    const outputs = node.outputs.map(name).join(', ');
    const types = node.outputs.map((value) => `${value.type.dtype}${shapeText(value.type.shape)}`).join(', ');
    return `${outputs} = ${node.op}${attributesText(node)}${inputs} : ${types}`;
  });
  for (const output of graph.outputs) lines.push(`return ${output.name} = ${name(output.value)}`);
  return lines.join('\n');
}
