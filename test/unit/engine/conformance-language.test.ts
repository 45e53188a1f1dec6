/** The conformance suite of models that write: every method and decoder, with what each promises tried. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createGenerator,
  createPredictor,
  createTrainer,
  listMethods,
  mergedTensors,
  openModel,
  planParameters,
  writeSafetensors,
  type BaseModelInfo,
  type Batch,
  type MethodSpec,
  type NamedTensors,
} from '../../../electron/engine/index.js';
import {
  decoders,
  hashOf,
  merges,
  nothingToTrain,
  trainerOptions,
  trainsBase,
  virtual,
} from '../../helpers/conformance.js';
import { specOf } from '../../helpers/methods.js';
import { largestDifference, oracleFolder } from '../../helpers/oracle.js';
import { uniforms } from '../../helpers/tiny-model.js';

const objective = { type: 'causal-lm' } as const;
/** Rows of 9 tokens: two examples in the first, one and padding in the others; no loss on the first two tokens of each row. */
const batch: Batch = {
  size: 3,
  sequence: 9,
  inputIds: Int32Array.from({ length: 27 }, (_, i) => 5 + ((i * 7) % 40)),
  tokenTypeIds: new Int32Array(27),
  attentionMask: Int32Array.from([1, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0]),
  labels: Int32Array.from({ length: 27 }, (_, i) =>
    i % 9 < 2 || [16, 17, 26].includes(i) ? -100 : 5 + ((i * 7) % 40),
  ),
  weights: null,
};
const prompt = [7, 21, 9];

const models = new Map<string, BaseModelInfo>();
let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'conformance-language-'));
  for (const name of decoders) models.set(name, await openModel(join(oracleFolder, 'models', name)));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Adapters that a fusion has something to choose from: fresh ones add nothing. */
function finished(model: BaseModelInfo): NamedTensors {
  const next = uniforms(5);
  const plan = planParameters({ model, method: specOf('fusion'), objective });
  const parts = plan.filter(({ part, name }) => part === 'added' && /@\d$/.test(name));
  return new Map(
    parts.map(({ name, shape }) => {
      const size = shape.reduce((product, dim) => product * dim, 1);
      return [name, { shape, data: Float32Array.from({ length: size }, () => next() - 0.5) }];
    }),
  );
}

const where = { seed: 99, device: 'cpu', threads: 1 } as const;

/** Each token's loss, and the first tokens that are written greedily. */
async function answers(model: BaseModelInfo, method: MethodSpec, parameters: NamedTensors, seed = 99) {
  const of = { model, method, parameters, ...where, seed };
  const predictor = await createPredictor({ ...of, objective });
  const { tokenLosses } = await predictor.evaluate(batch);
  await predictor.dispose();
  const generator = await createGenerator(of);
  const written: number[] = [];
  for await (const token of generator.generate(prompt, { maxNewTokens: 6 })) written.push(token);
  await generator.dispose();
  return { losses: tokenLosses ?? new Float32Array(), written };
}

describe.each(listMethods().map(({ type }) => type))('%s', (type) => {
  describe.each(decoders)('on %s', (name) => {
    const model = () => models.get(name) as BaseModelInfo;
    const method = specOf(type);
    const train = () =>
      createTrainer(
        trainerOptions(model(), method, objective, type === 'fusion' ? { initial: finished(model()) } : {}),
      );

    const refusals: Readonly<Record<string, RegExp>> = {
      'prompt-search': /prompt wording needs one/,
      head: /Nothing to train|nothing/i,
      unipelt: /looks at whole texts/,
      ...(nothingToTrain.get(type)?.includes(name)
        ? { [type]: /trains biases, and this (llama|qwen3) model has none/ }
        : {}),
    };
    const refusal = refusals[type];
    if (refusal) {
      it('is refused for its reason', async () => {
        await expect(train()).rejects.toMatchObject({ code: 'bad-input', message: expect.stringMatching(refusal) });
      });
      return;
    }

    it('starts as the base model does', async () => {
      const own = await answers(model(), method, new Map(), 3);
      const base = await answers(model(), { type: 'head' }, new Map(), 3);
      // Behind virtual tokens the second example of a row has a first token to learn as well.
      if (virtual.includes(type)) {
        const [mine, theirs] = [own, base].map(({ losses }) => losses.reduce((sum, loss) => sum + loss, 0));
        expect(Math.abs((mine ?? 0) - (theirs ?? 0))).toBeGreaterThan(1e-3);
        return;
      }
      expect(own.losses).toHaveLength(base.losses.length);
      expect(largestDifference(own.losses, base.losses)).toBeLessThan(1e-5);
      expect(own.written).toEqual(base.written);
    });

    it('counts what trains as the plan says, and has no head of its own', async () => {
      const trainer = await train();
      const plan = planParameters({ model: model(), method, objective });
      const count = (parameters: readonly { shape: readonly number[] }[]) =>
        parameters.reduce((sum, { shape }) => sum + shape.reduce((a, d) => a * d, 1), 0);
      expect(trainer.trainableParameters).toBe(count(plan.filter(({ trainable }) => trainable)));
      expect(trainer.totalParameters).toBe(count(plan));
      expect(trainer.mostOptimizerBytes).toBe(trainer.trainableParameters * 8);
      expect(plan.some(({ part, trainable }) => part === 'base' && trainable)).toBe(trainsBase.includes(type));
      expect(plan.some(({ part }) => part === 'added')).toBe(!trainsBase.includes(type));
      // A vocabulary's matrix of its own stands where a classifier's head would.
      const heads = plan.filter(({ part }) => part === 'head');
      expect(heads.every((it) => it.name === 'lm_head.weight' && trainsBase.includes(type))).toBe(true);
      await trainer.dispose();
    });

    it('lowers the loss, leaves the base file alone and resumes to the same numbers', async () => {
      const file = join(model().folder, 'model.safetensors');
      const before = await hashOf(file);
      const trainer = await train();
      const first = await trainer.evaluate(batch);
      for (let step = 0; step < 4; step++) await trainer.step([batch], 0.01);
      const state = trainer.saveState();
      const on = async (of: typeof trainer) => {
        const told: number[] = [];
        for (let step = 0; step < 4; step++) told.push((await of.step([batch], 0.01)).loss);
        return told;
      };
      const uninterrupted = await on(trainer);
      const last = await trainer.evaluate(batch);
      expect(last.lossSum).toBeLessThan(first.lossSum);
      const resumed = await train();
      await resumed.loadState(state);
      expect(await on(resumed)).toEqual(uninterrupted);
      expect((await resumed.evaluate(batch)).tokenLosses).toEqual(last.tokenLosses);
      expect(await hashOf(file)).toBe(before);
      await trainer.dispose();
      await resumed.dispose();
    });

    it('reads and writes the same from its saved parameters, and merged where it merges', async () => {
      const trainer = await train();
      for (let step = 0; step < 3; step++) await trainer.step([batch, batch], 0.01);
      const live = (await trainer.evaluate(batch)).tokenLosses ?? new Float32Array();
      const parameters = trainer.parameters();
      const kept = await trainer.result();
      await trainer.dispose();
      const own = await answers(model(), method, parameters);
      expect(largestDifference(own.losses, live)).toBeLessThan(1e-6);
      const keeper = await answers(model(), method, kept);
      expect(largestDifference(keeper.losses, live)).toBeLessThan(1e-5);
      expect(keeper.written).toEqual(own.written);

      const merge = () => mergedTensors(model(), method, { type: 'causal-lm' }, kept);
      if (!merges(type, name)) {
        expect(merge).toThrow('does not merge');
        return;
      }
      const folder = join(scratch, `${type}-${name}`);
      await cp(model().folder, folder, { recursive: true });
      await writeSafetensors(join(folder, 'model.safetensors'), merge());
      const plain = await answers(await openModel(folder), { type: 'head' }, new Map());
      expect(largestDifference(plain.losses, live)).toBeLessThan(1e-4);
      expect(plain.written).toEqual(own.written);
    });
  });
});
