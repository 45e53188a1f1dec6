/** One suite over every method and architecture: what each promises is tried, not believed. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createPredictor,
  createTrainer,
  listMethods,
  mergedTensors,
  whyUnmergeable,
  openModel,
  planParameters,
  validateMethod,
  writeSafetensors,
  type BaseModelInfo,
  type Batch,
  type MethodSpec,
  type TrainerOptions,
} from '../../../electron/engine/index.js';
import {
  decoders,
  encoders,
  hashOf,
  merges,
  nothingToTrain,
  trainerOptions,
  trainsBase,
  virtual,
} from '../../helpers/conformance.js';
import { specOf } from '../../helpers/methods.js';
import { largestDifference, oracleFolder } from '../../helpers/oracle.js';

const objective = { type: 'classification', labels: ['a', 'b', 'c'] } as const;
const batch: Batch = {
  size: 4,
  sequence: 6,
  inputIds: Int32Array.from({ length: 24 }, (_, i) => (i % 6 > 4 - Math.floor(i / 12) ? 0 : 5 + ((i * 7) % 40))),
  tokenTypeIds: new Int32Array(24),
  attentionMask: Int32Array.from({ length: 24 }, (_, i) => (i % 6 > 4 - Math.floor(i / 12) ? 0 : 1)),
  labels: Int32Array.of(0, 1, 2, 1),
  weights: null,
};
/** Words that stand for the labels, read at each text's last token but one; and a wording of two tokens behind the first. */
const byWords = {
  ...objective,
  verbalizer: {
    slots: 1,
    words: [[{ slot: 0, token: 7 }], [{ slot: 0, token: 8 }], [{ slot: 0, token: 9 }]],
    score: 'mean',
  },
} as const;
const worded: Batch = {
  ...batch,
  reads: Int32Array.from({ length: 4 }, (_, row) => row * 6 + 3),
  wording: new Int32Array(4).fill(1),
};
const searched: Partial<TrainerOptions> = {
  objective: byWords,
  wording: {
    ids: () => Promise.resolve([11, 12]),
    // Every fifth token cannot be typed.
    spell: (lists) => Promise.resolve(lists.map((ids) => (ids.some((id) => id % 5 === 0) ? null : ids.join(' ')))),
    word: (token) => Promise.resolve(String(token)),
  },
};
const architectures = [...encoders, ...decoders];
const models = new Map<string, BaseModelInfo>();
let scratch = '';

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'conformance-'));
  for (const name of architectures) models.set(name, await openModel(join(oracleFolder, 'models', name)));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const options = (model: BaseModelInfo, method: MethodSpec, more: Partial<TrainerOptions> = {}) =>
  trainerOptions(model, method, objective, more);

it('lists methods with help, a marker and options that have defaults', () => {
  const described = listMethods();
  expect(described.map(({ type }) => type).sort()).toEqual([
    'adalora',
    'bitfit',
    'bottleneck',
    'compacter',
    'full',
    'fusion',
    'head',
    'ia3',
    'loha',
    'lokr',
    'lora',
    'mam',
    'mixer',
    'p-tuning',
    'prefix',
    'progressive',
    'prompt',
    'prompt-search',
    'stack',
    'unipelt',
    'vera',
  ]);
  for (const { type, help } of described) {
    expect(help.length).toBeGreaterThan(100);
    expect(validateMethod(specOf(type))).toMatchObject({ type });
  }
  expect(described.every(({ exports }) => exports.includes('studio'))).toBe(true);
  expect(new Set(described.map(({ marker }) => marker)).size).toBe(described.length);
});

it.each([
  [{ type: 'lora', rnak: 4 }, /method\.rnak/],
  [{ type: 'lora', rank: 0 }, /method\.rank/],
  [{ type: 'lora', targetModules: '(' }, /method\.targetModules/],
  [{ type: 'bottleneck', placement: 'everywhere' }, /method\.placement/],
  [{ type: 'bottleneck', scaling: 'large' }, /method\.scaling/],
  [{ type: 'mixer', layersToTransform: [] }, /method\.layersToTransform/],
  [{ type: 'mixer', gate: 1 }, /method\.gate/],
  [{ type: 'prompts' }, /method\.type "prompts"/],
  [{ type: 'fusion' }, /method\.adapters/],
  [{ type: 'fusion', adapters: [{ type: 'bottleneck' }] }, /method\.adapters: takes at least 2/],
  [{ type: 'stack', adapters: [] }, /method\.adapters: takes at least 1/],
])('refuses %j with the path', (spec, message) => {
  expect(() => validateMethod(spec)).toThrow(message);
});

it('names the modules of a model where target modules match none', async () => {
  await expect(
    createTrainer(options(models.get('bert') as BaseModelInfo, { type: 'lora', targetModules: ['q_proj'] })),
  ).rejects.toMatchObject({ code: 'bad-input', hint: expect.stringContaining('query') as string });
});

it.each([
  [{ type: 'mixer', layersToTransform: [1, 2] }, /there is no layer 2; this model's layers are 0 to 1/],
  [{ type: 'fusion', adapters: [{ type: 'bottleneck' }, { type: 'lora' }] }, /method\.adapters\.1: LoRA is no adapter/],
  [
    { type: 'fusion', adapters: [{ type: 'bottleneck' }, { type: 'bottleneck', placement: 'houlsby' }] },
    /adapters\.1: it sits at houlsby's place, the first one at pfeiffer's/,
  ],
  [
    { type: 'fusion', adapters: [1, 2].map(() => ({ type: 'bottleneck', placement: 'parallel' })) },
    /parallel adapters cannot be fused/,
  ],
  [{ type: 'stack', adapters: [{ type: 'lora' }, { type: 'full' }] }, /adapters\.1: Full fine-tuning changes the base/],
  [{ type: 'stack', adapters: [{ type: 'lora' }, { type: 'prefix' }] }, /adapters\.1: Prefix tuning puts virtual/],
  [{ type: 'stack', adapters: [{ type: 'lora' }, { type: 'lora', useDora: true }] }, /adapters\.1: LoRA with DoRA/],
  [{ type: 'stack', adapters: [{ type: 'lora' }], top: { type: 'mam' } }, /method\.top: MAM puts virtual/],
  [{ type: 'compacter', phmDim: 5 }, /phmDim: 5 does not divide this model's hidden size, 32/],
])('refuses %j, which does not fit the model', async (method, message) => {
  await expect(createTrainer(options(models.get('bert') as BaseModelInfo, method))).rejects.toThrow(message);
});

it('merges a mixer behind the last layer only', () => {
  const model = models.get('bert') as BaseModelInfo;
  const spec = { type: 'mixer', layersToTransform: [0] };
  expect(() => mergedTensors(model, spec, objective, new Map())).toThrow(/behind the last layer only/);
});

it('merges a mixer below a head that goes on by itself only where the base reads between them', () => {
  const why = (name: string, below: Parameters<typeof whyUnmergeable>[2]) =>
    whyUnmergeable(models.get(name) as BaseModelInfo, { type: 'mixer' }, below);
  expect([why('bert', null), why('bert', 'classification'), why('bert', 'regression')]).toEqual([null, null, null]);
  for (const below of ['token-classification', 'question-answering'] as const)
    expect(why('bert', below)).toMatch(/the head here, which goes on by itself/);
  expect(why('roberta', 'classification')).toMatch(/goes on by itself/);
});

describe.each(listMethods().map(({ type }) => type))('%s', (type) => {
  describe.each(architectures)('on %s', (name) => {
    const model = () => models.get(name) as BaseModelInfo;

    if (type === 'prompt-search') {
      it('trains nothing, lowers the loss, leaves the base file alone and resumes to the same wording', async () => {
        const file = join(model().folder, 'model.safetensors');
        const before = await hashOf(file);
        const search = () => createTrainer(options(model(), specOf(type), searched));
        const trainer = await search();
        expect(
          planParameters({ model: model(), method: specOf(type), objective: byWords }).some((it) => it.trainable),
        ).toBe(false);
        expect([trainer.trainableParameters, trainer.mostOptimizerBytes]).toEqual([0, 0]);
        const first = await trainer.evaluate(worded);
        for (let step = 0; step < 2; step++) await trainer.step([worded], 0);
        const state = trainer.saveState();
        const on = async (of: typeof trainer) => {
          const told: unknown[] = [];
          for (let step = 0; step < 3; step++) told.push(await of.step([worded, worded], 0));
          return [told, of.wording?.()];
        };
        const uninterrupted = await on(trainer);
        const last = await trainer.evaluate(worded);
        expect(last.lossSum).toBeLessThan(first.lossSum);
        const resumed = await search();
        await resumed.loadState(state);
        expect(await on(resumed)).toEqual(uninterrupted);
        const again = await search();
        await again.loadParameters(await trainer.result());
        expect(largestDifference(await again.predict(worded), last.logits)).toBe(0);
        expect(() => mergedTensors(model(), specOf(type), { type: 'masked-lm' }, new Map())).toThrow('does not merge');
        expect(await hashOf(file)).toBe(before);
        for (const one of [trainer, resumed, again]) await one.dispose();
      });

      it('is refused without a verbalizer', async () => {
        await expect(createTrainer(options(model(), specOf(type)))).rejects.toThrow(/prompt wording needs one/);
      });
      return;
    }

    if (nothingToTrain.get(type)?.includes(name)) {
      it('is refused, since the model has nothing of what it trains', async () => {
        await expect(createTrainer(options(model(), specOf(type)))).rejects.toMatchObject({
          code: 'bad-input',
          message: expect.stringMatching(/trains biases, and this (llama|qwen3) model has none/),
        });
      });
      return;
    }

    it('starts as the base model does', async () => {
      const untrained = (method: MethodSpec) =>
        createPredictor({
          model: model(),
          method,
          objective,
          parameters: new Map(),
          seed: 3,
          device: 'cpu',
          threads: 1,
        });
      const [own, base] = [await untrained(specOf(type)), await untrained({ type: 'head' })];
      // A Pfeiffer adapter adds zero and normalizes the same sum.
      const difference = largestDifference(await own.predict(batch), await base.predict(batch));
      if (virtual.includes(type)) expect(difference).toBeGreaterThan(1e-3);
      else expect(difference).toBeLessThan(1e-5);
      await own.dispose();
      await base.dispose();
    });

    it('counts what trains as the plan says', async () => {
      const trainer = await createTrainer(options(model(), specOf(type)));
      const plan = planParameters({ model: model(), method: specOf(type), objective });
      const count = (parameters: readonly { shape: readonly number[] }[]) =>
        parameters.reduce((sum, { shape }) => sum + shape.reduce((a, d) => a * d, 1), 0);
      expect(trainer.trainableParameters).toBe(count(plan.filter(({ trainable }) => trainable)));
      expect(trainer.totalParameters).toBe(count(plan));
      expect(trainer.mostOptimizerBytes).toBe(trainer.trainableParameters * 8);
      expect(trainer.optimizerBytes).toBeLessThanOrEqual(trainer.mostOptimizerBytes);
      expect(plan.filter(({ part, trainable }) => part === 'base' && trainable).length > 0).toBe(
        trainsBase.includes(type),
      );
      expect(plan.some(({ part }) => part === 'added')).toBe(![...trainsBase, 'head'].includes(type));
      expect(
        plan
          .filter(({ part }) => part === 'head')
          .every(({ trainable, name: n }) => trainable && /classifier|score/.test(n)),
      ).toBe(true);
      await trainer.dispose();
    });

    it('lowers the loss, leaves the base file alone and resumes to the same numbers', async () => {
      const file = join(model().folder, 'model.safetensors');
      const before = await hashOf(file);
      const trainer = await createTrainer(options(model(), specOf(type)));
      const first = await trainer.evaluate(batch);
      for (let step = 0; step < 4; step++) await trainer.step([batch], 0.01);
      const state = trainer.saveState();
      const uninterrupted: number[] = [];
      for (let step = 0; step < 4; step++) uninterrupted.push((await trainer.step([batch], 0.01)).loss);
      const last = await trainer.evaluate(batch);
      expect(last.lossSum).toBeLessThan(first.lossSum);
      const resumed = await createTrainer(options(model(), specOf(type)));
      resumed.loadState(state);
      const again: number[] = [];
      for (let step = 0; step < 4; step++) again.push((await resumed.step([batch], 0.01)).loss);
      expect(again).toEqual(uninterrupted);
      expect(largestDifference((await resumed.evaluate(batch)).logits, last.logits)).toBe(0);
      expect(await hashOf(file)).toBe(before);
      await trainer.dispose();
      await resumed.dispose();
    });

    it('predicts the same from its saved parameters, and merged where it merges', async () => {
      const trainer = await createTrainer(options(model(), specOf(type)));
      for (let step = 0; step < 3; step++) await trainer.step([batch, batch], 0.01);
      const live = await trainer.predict(batch);
      const parameters = trainer.parameters();
      const kept = await trainer.result();
      await trainer.dispose();
      const keeper = await createPredictor({
        model: model(),
        method: specOf(type),
        objective,
        parameters: kept,
        seed: 99,
        device: 'cpu',
        threads: 1,
      });
      expect(largestDifference(await keeper.predict(batch), live)).toBeLessThan(1e-5);
      await keeper.dispose();
      const predictor = await createPredictor({
        model: model(),
        method: specOf(type),
        objective,
        parameters,
        seed: 99,
        device: 'cpu',
        threads: 1,
      });
      expect(largestDifference(await predictor.predict(batch), live)).toBeLessThan(1e-6);
      await predictor.dispose();

      const merge = () => mergedTensors(model(), specOf(type), objective, parameters);
      if (!merges(type, name)) {
        expect(merge).toThrow('does not merge');
        return;
      }
      const folder = join(scratch, `${type}-${name}`);
      await cp(model().folder, folder, { recursive: true });
      await writeSafetensors(join(folder, 'model.safetensors'), merge());
      const plain = await createPredictor({
        model: await openModel(folder),
        method: { type: 'head' },
        objective,
        parameters: new Map(),
        seed: 99,
        device: 'cpu',
        threads: 1,
      });
      expect(largestDifference(await plain.predict(batch), live)).toBeLessThan(1e-4);
      await plain.dispose();
    });
  });
});
