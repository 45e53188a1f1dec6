/** Methods merged into the base and taken out again: the weights are the base's own but for rounding. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createPredictor,
  createTrainer,
  listMethods,
  mergedConfig,
  mergedTensors,
  openModel,
  openWeights,
  unmergedTensors,
  whyMergedForGood,
  whyUnmergeable,
  writeSafetensors,
  type Batch,
  type MethodSpec,
  type NamedTensors,
  type Tensor,
} from '../../../electron/engine/index.js';
import { largestDifference, oracleFolder } from '../../helpers/oracle.js';

const labels = ['a', 'b'];
const batch: Batch = {
  size: 2,
  sequence: 4,
  inputIds: Int32Array.of(5, 9, 12, 7, 6, 11, 8, 14),
  tokenTypeIds: new Int32Array(8),
  attentionMask: new Int32Array(8).fill(1),
  labels: Int32Array.of(0, 1),
  weights: null,
};

type Written = ReturnType<typeof mergedTensors>[number];
const dataOf = async ({ data }: Written) => (typeof data === 'function' ? await data() : data);

const undone: readonly MethodSpec[] = [
  { type: 'lora' },
  { type: 'lora', initialization: 'pissa' },
  { type: 'loha' },
  { type: 'lokr' },
  { type: 'vera' },
  { type: 'adalora' },
  { type: 'ia3' },
  { type: 'stack', adapters: [{ type: 'lora' }, { type: 'loha' }], top: { type: 'lora', rank: 2 } },
];

describe.each(['bert', 'gpt2'])('on %s', (name) => {
  it.each(undone)('%j leaves the weights as they were', async (method) => {
    const model = await openModel(join(oracleFolder, 'models', name));
    const trainer = await createTrainer({
      model,
      method,
      objective: { type: 'classification', labels },
      optimizer: { type: 'adamw', weightDecay: 0, gradientClip: null },
      modelDropout: 0,
      seed: 1,
      device: 'cpu',
      threads: 1,
      steps: 4,
    });
    for (let step = 0; step < 4; step++) await trainer.step([batch], 0.05);
    const trained: NamedTensors = trainer.parameters();
    await trainer.dispose();
    const merged = new Map<string, Tensor>();
    for (const one of mergedTensors(model, method, { type: 'classification', labels }, trained))
      merged.set(one.name, { shape: one.shape, data: (await dataOf(one)) as Float32Array });
    const read = (tensor: string) => Promise.resolve(merged.get(tensor) as Tensor);
    const base = await openWeights(model.folder);
    let changed = 0;
    for (const one of unmergedTensors(model, method, { type: 'classification', labels }, trained, read)) {
      if (trained.has(one.name)) continue;
      const own = (await base.read(one.name)).data;
      if (largestDifference(own, merged.get(one.name)?.data ?? []) > 1e-4) changed += 1;
      expect(largestDifference(own, (await dataOf(one)) as Float32Array), one.name).toBeLessThan(1e-6);
    }
    expect(changed).toBeGreaterThan(0);
  });
});

describe.each(['bert', 'roberta', 'distilbert'])('a parallel adapter on %s', (name) => {
  it.each([
    { type: 'bottleneck', placement: 'parallel', activation: 'linear', reductionFactor: 4 },
    { type: 'bottleneck', placement: 'parallel', activation: 'gelu', scaling: 'learned', reductionFactor: 8 },
  ])('%j becomes more units of the feed-forward layers', async (method) => {
    const model = await openModel(join(oracleFolder, 'models', name));
    const where = {
      model,
      method,
      objective: { type: 'classification', labels },
      seed: 1,
      device: 'cpu',
      threads: 1,
    } as const;
    const trainer = await createTrainer({
      ...where,
      optimizer: { type: 'adamw', weightDecay: 0, gradientClip: null },
      modelDropout: 0,
      steps: 4,
    });
    for (let step = 0; step < 4; step++) await trainer.step([batch], 0.05);
    const [trained, live] = [trainer.parameters(), await trainer.predict(batch)];
    await trainer.dispose();
    const folder = await mkdtemp(join(tmpdir(), 'merged-'));
    await cp(model.folder, folder, { recursive: true });
    await writeSafetensors(
      join(folder, 'model.safetensors'),
      mergedTensors(model, method, { type: 'classification', labels }, trained),
    );
    const config = { ...model.config, ...mergedConfig(model, method) };
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    const merged = await openModel(folder);
    expect(Object.keys(mergedConfig(model, method))).toHaveLength(1);
    const plain = await createPredictor({ ...where, model: merged, method: { type: 'head' }, parameters: new Map() });
    expect(largestDifference(await plain.predict(batch), live)).toBeLessThan(1e-5);
    const base = await createPredictor({
      ...where,
      method: { type: 'head' },
      parameters: new Map([...trained].filter(([key]) => /classifier/.test(key))),
    });
    expect(largestDifference(await base.predict(batch), live)).toBeGreaterThan(1e-3);
    await plain.dispose();
    await base.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it('says why it does not, with another activation', async () => {
    const model = await openModel(join(oracleFolder, 'models', name));
    expect(whyUnmergeable(model, { type: 'bottleneck', placement: 'parallel' })).toMatch(/its activation is relu/);
    expect(whyUnmergeable(model, { type: 'bottleneck' })).toMatch(/Pfeiffer's place/);
    const linear = { type: 'bottleneck', placement: 'parallel', activation: 'linear' };
    expect(whyUnmergeable(model, { type: 'stack', adapters: [linear, { type: 'lora' }] })).toMatch(/does not merge/);
  });
});

it('says why the others stay merged', () => {
  const reasons = listMethods()
    .filter(({ type, exports }) => exports.includes('merged') && !undone.some((spec) => spec.type === type))
    .map(({ type }) => [type, whyMergedForGood({ type })] as const);
  expect(reasons.length).toBeGreaterThan(2);
  for (const [type, reason] of reasons)
    expect(reason, type).toMatch(/in the place of the base's own|inverted|more units/);
  expect(whyMergedForGood({ type: 'lora', useDora: true })).toMatch(/length that the row had is lost/);
  expect(whyMergedForGood({ type: 'stack', adapters: [{ type: 'lora' }, { type: 'ia3' }] })).toMatch(
    /only those that add/,
  );
});
