/**
 * Gradient checkpointing (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"): what a layer computes on its way is let
 * go, and computed anew from the layer's input when the backward pass comes to that layer.
 */
import type { Graph } from '../graph/graph.js';
import type { Node, Value } from '../graph/ir.js';

interface Layer {
  readonly input: Value;
  readonly again: Map<Node, readonly Value[]>;
  /** The layer's input for what is computed anew. */
  start: Value | undefined;
}

/**
 * Gives the node whose operands and outputs the backward pass reads for a node of the forward pass: computed anew where it lies in one
 * of the layers. `ends` are the input of the first layer and the end of each, in their order; `d` is the gradient that has come to it.
 */
export function recomputation(g: Graph, ends: readonly Value[]): (node: Node, d: Value) => Node {
  const layerOf = new Map<Node, Layer>();
  // What the last layer keeps is what the backward pass begins with.
  for (let k = 1; k < ends.length - 1; k++) {
    const [input, end] = [ends[k - 1] as Value, ends[k] as Value];
    const layer: Layer = { input, again: new Map(), start: undefined };
    for (const node of g.nodes.slice(input.node.id + 1, end.node.id + 1))
      if (node.inputs.some((value) => value === input || layerOf.get(value.node) === layer)) layerOf.set(node, layer);
  }
  const valueAgain = (layer: Layer, value: Value, d: Value): Value => {
    // Behind the gradient, or the runtime would compute it where it computes the layer.
    if (value === layer.input) return (layer.start ??= g.after(value, d));
    return layerOf.get(value.node) === layer ? (again(layer, value.node, d)[value.index] as Value) : value;
  };
  const again = (layer: Layer, node: Node, d: Value): readonly Value[] => {
    const known = layer.again.get(node);
    if (known) return known;
    const inputs = node.inputs.map((value) => valueAgain(layer, value, d));
    const made = g.apply(node.op, node.attributes, inputs);
    layer.again.set(node, made);
    return made;
  };
  return (node, d) => {
    const layer = layerOf.get(node);
    return layer ? (again(layer, node, d)[0] as Value).node : node;
  };
}
