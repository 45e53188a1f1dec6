/** Numbers as standard scores: learned far from zero, told in their own unit, kept by the head alone. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPredictor, createTrainer, openModel, type Batch } from '../../../electron/engine/index.js';
import { standardized, standardOf, toScores } from '../../../electron/trainer/standardized.js';
import { trainerOptions } from '../../helpers/conformance.js';
import { largestDifference, oracleFolder } from '../../helpers/oracle.js';

const objective = { type: 'regression' } as const;
const method = { type: 'lora' };
const prices = Float32Array.of(1200, 900, 1500, 1100);
const spread = { mean: 1175, deviation: 217 };
const batch: Batch = {
  size: 4,
  sequence: 6,
  inputIds: Int32Array.from({ length: 24 }, (_, i) => 5 + ((i * 7) % 40)),
  tokenTypeIds: new Int32Array(24),
  attentionMask: new Int32Array(24).fill(1),
  labels: new Int32Array(4),
  targets: prices,
  weights: null,
};
const errorOf = (values: Float32Array) =>
  values.reduce((sum, value, i) => sum + (value - (prices[i] ?? 0)) ** 2, 0) / prices.length;

describe.each(['bert', 'roberta', 'distilbert', 'gpt2', 'llama'])('%s', (name) => {
  it('learns numbers far from zero, and keeps a head that tells them without any scale', async () => {
    const model = await openModel(join(oracleFolder, 'models', name));
    const standard = standardOf(spread, method, model)!;
    // Only heads with a bias have a place for the mean.
    expect(standard.center).toBe(standard.bias === null ? 0 : 1175);
    const open = async (initial = new Map()) =>
      standardized(
        await createTrainer(
          trainerOptions(model, method, objective, {
            modelDropout: 0,
            steps: 30,
            initial: await toScores(initial, model, standard),
          }),
        ),
        standard,
      );
    const trainer = await open();
    const before = await trainer.predict(batch);
    const first = await trainer.step([batch], 0.01);
    expect(first.loss / errorOf(before)).toBeCloseTo(1, 3);
    for (let step = 1; step < 30; step += 1) await trainer.step([batch], 0.01);
    const after = await trainer.predict(batch);
    // Without scores the head would have moved by less than one in these steps.
    expect(errorOf(after)).toBeLessThan(0.5 * 217 ** 2);
    const { lossSum, weightSum, logits } = await trainer.evaluate(batch);
    expect(lossSum / weightSum / errorOf(after)).toBeCloseTo(1, 3);
    expect(largestDifference(logits, after)).toBeLessThan(0.1);

    const kept = await trainer.result();
    const state = trainer.saveState();
    await trainer.dispose();
    const plain = await createPredictor({
      model,
      method,
      objective,
      parameters: kept,
      seed: 3,
      device: 'cpu',
      threads: 1,
    });
    expect(largestDifference(await plain.predict(batch), after)).toBeLessThan(0.01);
    await plain.dispose();
    const next = await open(kept);
    expect(largestDifference(await next.predict(batch), after)).toBeLessThan(0.01);
    await next.loadState(state);
    expect(largestDifference(await next.predict(batch), after)).toBeLessThan(1e-3);
    await next.dispose();
  });
});
