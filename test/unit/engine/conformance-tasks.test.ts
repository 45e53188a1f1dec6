/** What methods promise also where they learn numbers, several labels, tags, answers or hidden tokens: the head is another one, and nothing else. */
import { mkdtemp, rm, cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createPredictor,
  createTrainer,
  listMethods,
  mergedTensors,
  openModel,
  writeSafetensors,
  type BaseModelInfo,
  type Batch,
  type ObjectiveSpec,
} from '../../../electron/engine/index.js';
import { encoders, merges, nothingToTrain, trainerOptions } from '../../helpers/conformance.js';
import { specOf } from '../../helpers/methods.js';
import { largestDifference, oracleFolder } from '../../helpers/oracle.js';

const text: Batch = {
  size: 4,
  sequence: 6,
  inputIds: Int32Array.from({ length: 24 }, (_, i) => (i % 6 > 4 - Math.floor(i / 12) ? 0 : 5 + ((i * 7) % 40))),
  tokenTypeIds: new Int32Array(24),
  attentionMask: Int32Array.from({ length: 24 }, (_, i) => (i % 6 > 4 - Math.floor(i / 12) ? 0 : 1)),
  labels: new Int32Array(4),
  weights: null,
};
const real = (cell: number) => text.attentionMask[cell] === 1;
/** Qwen's heads are Llama's. */
const architectures = [...encoders, 'gpt2', 'llama'];
const cases: readonly { objective: ObjectiveSpec; batch: Batch; on: readonly string[] }[] = [
  {
    objective: { type: 'regression' },
    batch: { ...text, targets: Float32Array.of(0.5, 2, 4.5, 3) },
    on: architectures,
  },
  {
    objective: { type: 'multi-label', labels: ['a', 'b', 'c'] },
    batch: { ...text, targets: Float32Array.of(1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1) },
    on: architectures,
  },
  {
    objective: { type: 'token-classification', labels: ['O', 'B-a', 'I-a'] },
    // The first token, the padding and every third token have no tag of their own.
    batch: { ...text, labels: Int32Array.from({ length: 24 }, (_, i) => (i % 6 && i % 3 && real(i) ? i % 3 : -100)) },
    on: ['bert', 'distilbert', 'llama'],
  },
  {
    objective: { type: 'question-answering' },
    batch: { ...text, labels: Int32Array.of(1, 3, 2, 2, 0, 3, 1, 3) },
    on: ['bert', 'roberta'],
  },
  {
    objective: { type: 'masked-lm' },
    batch: { ...text, labels: Int32Array.from({ length: 24 }, (_, i) => (i % 6 && i % 2 && real(i) ? 7 + i : -100)) },
    on: ['bert', 'distilbert'],
  },
];
const models = new Map<string, BaseModelInfo>();
let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'conformance-tasks-'));
  for (const name of architectures) models.set(name, await openModel(join(oracleFolder, 'models', name)));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** A search for a wording needs label words, which none of these has. */
const methods = listMethods().flatMap(({ type }) => (type === 'prompt-search' ? [] : [type]));

describe.each(cases)('$objective.type', ({ objective, batch, on }) => {
  describe.each(on)('%s', (name) => {
    // Without a head to train, a head alone has nothing, and fresh adapters that are fused give nothing to weigh.
    const headless = objective.type === 'masked-lm' ? ['head', 'fusion'] : [];
    const trained = methods.filter((type) => !headless.includes(type) && !nothingToTrain.get(type)?.includes(name));
    it.each(trained)('%s: steps lower the loss, and a predictor of what was trained gives the same', async (type) => {
      const model = models.get(name)!;
      const trainer = await createTrainer(trainerOptions(model, specOf(type), objective, { modelDropout: 0 }));
      const lossOf = async () => {
        const { lossSum, weightSum } = await trainer.evaluate(batch);
        return lossSum / weightSum;
      };
      const before = await lossOf();
      for (let step = 0; step < 8; step += 1) await trainer.step([batch], 0.01);
      expect(await lossOf()).toBeLessThan(before);
      const live = await trainer.predict(batch);
      const kept = await trainer.result();
      await trainer.dispose();
      const where = { model, objective, seed: 3, device: 'cpu', threads: 1 } as const;
      const predictor = await createPredictor({ ...where, method: specOf(type), parameters: kept });
      expect(largestDifference(await predictor.predict(batch), live)).toBeLessThan(1e-4);
      await predictor.dispose();
      if (!merges(type, name)) return;
      const folder = join(scratch, `${objective.type}-${type}-${name}`);
      await cp(model.folder, folder, { recursive: true });
      await rm(join(folder, 'model.safetensors.index.json'), { force: true });
      await writeSafetensors(join(folder, 'model.safetensors'), mergedTensors(model, specOf(type), objective, kept));
      const plain = await createPredictor({
        ...where,
        model: await openModel(folder),
        method: { type: 'head' },
        parameters: new Map(),
      });
      expect(largestDifference(await plain.predict(batch), live)).toBeLessThan(1e-3);
      await plain.dispose();
    });
  });

  it.runIf(batch.targets)('refuses targets that do not fit the batch', async () => {
    const trainer = await createTrainer(trainerOptions(models.get('bert')!, { type: 'head' }, objective));
    await expect(trainer.step([{ ...batch, targets: new Float32Array(1) }], 0.01)).rejects.toThrow('1 targets for 4');
    await trainer.dispose();
  });
});
