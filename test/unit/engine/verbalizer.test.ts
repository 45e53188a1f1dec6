/** Every method beneath a verbalizer: the language model answers, there is no head, and what is kept answers the same. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createPredictor,
  createTrainer,
  listMethods,
  openModel,
  type Batch,
  type MethodSpec,
} from '../../../electron/engine/index.js';
import { largestDifference, oracleFolder } from '../../helpers/oracle.js';

const objective = {
  type: 'classification',
  labels: ['a', 'b'],
  verbalizer: {
    slots: 2,
    words: [[{ slot: 0, token: 7 }], [0, 1].map((slot) => ({ slot, token: 8 + slot }))],
    score: 'sum',
  },
} as const;
const batch: Batch = {
  size: 4,
  sequence: 6,
  inputIds: Int32Array.from({ length: 24 }, (_, i) => 5 + ((i * 7) % 40)),
  tokenTypeIds: new Int32Array(24),
  attentionMask: new Int32Array(24).fill(1),
  labels: Int32Array.of(0, 1, 0, 1),
  weights: null,
  reads: Int32Array.from({ length: 8 }, (_, i) => Math.floor(i / 2) * 6 + 3 + (i % 2)),
};
/** Bases without biases, and methods that have nothing without a head or are made of others. */
const without = new Map([['llama', ['bitfit']]]);
const types = listMethods()
  .filter(({ family, type }) => family !== 'composition' && type !== 'prompt-search' && type !== 'head')
  .map(({ type }) => type);

describe.each(['bert', 'llama'])('on %s', (name) => {
  const base = { device: 'cpu', seed: 3, threads: 1, objective } as const;

  it.each(types.filter((type) => !without.get(name)?.includes(type)))('%s learns and is kept', async (type) => {
    const model = await openModel(join(oracleFolder, 'models', name));
    const method: MethodSpec = { type };
    const trainer = await createTrainer({
      ...base,
      model,
      method,
      optimizer: { type: 'adamw', weightDecay: 0, gradientClip: 1 },
      modelDropout: 0,
      steps: 8,
    });
    const first = await trainer.evaluate(batch);
    for (let step = 0; step < 4; step++) await trainer.step([batch], 0.01);
    const last = await trainer.evaluate(batch);
    expect(last.lossSum).toBeLessThan(first.lossSum);
    const kept = await trainer.result();
    expect([...kept.keys()].filter((key) => /classifier|score|pooler/.test(key) && type !== 'full')).toEqual([]);
    const predictor = await createPredictor({ ...base, model, method, parameters: kept });
    expect(largestDifference(await predictor.predict(batch), last.logits)).toBeLessThan(1e-5);
    await predictor.dispose();
    await trainer.dispose();
  });

  it('head only is refused', async () => {
    const model = await openModel(join(oracleFolder, 'models', name));
    const optimizer = { type: 'adamw', weightDecay: 0, gradientClip: 1 } as const;
    await expect(
      createTrainer({ ...base, model, method: { type: 'head' }, optimizer, modelDropout: 0 }),
    ).rejects.toThrow(/with a verbalizer there is no head/);
  });
});
