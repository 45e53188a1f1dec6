/** Gradient checkpointing: the same numbers, while nothing of a layer is kept for the backward pass but its input. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../../electron/engine/autodiff/reverse.js';
import { Graph } from '../../../electron/engine/graph/graph.js';
import type { Value } from '../../../electron/engine/graph/ir.js';
import { createTrainer, listMethods, openModel } from '../../../electron/engine/index.js';
import { nothingToTrain, threeRows as batch, trainerOptions } from '../../helpers/conformance.js';
import { specOf } from '../../helpers/methods.js';
import { oracleFolder } from '../../helpers/oracle.js';

/** Three layers of a product, an activation and a norm, whose weights train. */
function layered(recompute: boolean) {
  const g = new Graph();
  const width = 4;
  const ones = g.constant(new Float32Array(width).fill(1), [width]);
  let hidden = g.input('x', 'float32', ['rows', width]);
  const ends = [hidden];
  const weights: Value[] = [];
  for (let layer = 0; layer < 3; layer++) {
    const weight = g.parameter(`w${layer}`, [width, width], true);
    weights.push(weight);
    hidden = g.layerNorm(g.add(g.gelu(g.matmul(hidden, weight)), hidden), ones, ones, 1e-5);
    ends.push(hidden);
  }
  const loss = g.total(hidden);
  const forward = g.nodes.length;
  differentiate(g, loss, weights, { recompute: recompute ? ends : [] }).forEach((gradient, i) =>
    g.output(`d${i}`, gradient),
  );
  /** Values of the forward pass that come from activations and are read after it, by the layer that they belong to. */
  const kept = ends.slice(1).map((end, layer) => {
    const inside = (value: Value) =>
      value.node.id > (ends[layer] as Value).node.id && value.node.id < end.node.id && value.node.op !== 'parameter';
    const read = g
      .live()
      .filter(({ id }) => id >= forward)
      .flatMap(({ inputs }) => inputs);
    return new Set(read.filter(inside)).size;
  });
  return { kept };
}

it('lets go what lies inside a layer, but for the last one’s', () => {
  const [without, checkpointed] = [layered(false), layered(true)];
  expect(without.kept.every((count) => count > 0)).toBe(true);
  expect(checkpointed.kept).toEqual([0, 0, without.kept[2]]);
});

describe.each(['bert', 'llama'])('%s', (architecture) => {
  const types = listMethods()
    .map(({ type }) => type)
    .filter((type) => type !== 'prompt-search' && !nothingToTrain.get(type)?.includes(architecture));

  it.each(types)('%s takes the steps that it takes without, dropout included', async (type) => {
    const model = await openModel(join(oracleFolder, 'models', architecture));
    const course = async (gradientCheckpointing: boolean) => {
      const trainer = await createTrainer(
        trainerOptions(
          model,
          specOf(type),
          { type: 'classification', labels: ['a', 'b', 'c'] },
          {
            gradientCheckpointing,
            packWeights: !gradientCheckpointing,
          },
        ),
      );
      const numbers: number[] = [];
      for (let step = 0; step < 3; step++) {
        const { loss, gradientNorm } = await trainer.step(step === 1 ? [batch, batch] : [batch], 1e-2);
        numbers.push(loss, gradientNorm);
      }
      await trainer.dispose();
      return numbers;
    };
    const [wanted, numbers] = [await course(false), await course(true)];
    numbers.forEach((value, i) =>
      expect(Math.abs(value - (wanted[i] as number))).toBeLessThan(2e-5 * (1 + (wanted[i] as number))),
    );
  });
});
