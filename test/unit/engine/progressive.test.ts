import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createTrainer,
  describeMethod,
  openModel,
  planParameters,
  stagesOf,
  validateMethod,
  type Batch,
  type NamedTensors,
} from '../../../electron/engine/index.js';
import { findMethod } from '../../../electron/engine/peft/method.js';
import { largestDifference, oracleFolder } from '../../helpers/oracle.js';

const spec = (options: Record<string, unknown> = {}) => ({ type: 'progressive', ...options });
const layout = (options: Record<string, unknown>, layers: number) =>
  (stagesOf(spec(options), { layers })?.stages ?? []).map(({ trains }) => /(\d+ to \d+|block \d+|all \d+|the block)/.exec(trains)?.[0]); // prettier-ignore

describe('stages', () => {
  it.each([
    [{}, 1, ['the block']],
    [{}, 2, ['block 2', 'all 2']],
    [{}, 6, ['block 6', '4 to 6', '2 to 6', 'all 6']],
    [{}, 12, ['block 12', '8 to 12', '4 to 12', 'all 12']],
    [{}, 24, ['block 24', '16 to 24', '8 to 24', 'all 24']],
    [{ blocksPerStage: 1 }, 3, ['block 3', '2 to 3', 'all 3']],
    [{ blocksPerStage: 5 }, 12, ['block 12', '7 to 12', '2 to 12', 'all 12']],
    [{ stages: [{ blocks: 2 }, { blocks: 2 }, { blocks: 6 }] }, 12, ['11 to 12', '11 to 12', '7 to 12']],
  ])('%j on %i layers: %j', (options, layers, expected) => {
    expect(layout(options, layers)).toEqual(expected);
  });

  it('have epochs and rates by rule or one by one', () => {
    const facts = (options: Record<string, unknown>) =>
      stagesOf(spec(options), { layers: 6 })?.stages.map(({ epochs, rate }) => [epochs, rate]);
    expect(facts({})).toEqual([
      [null, 1],
      [null, 0.5],
      [null, 0.25],
      [null, 0.125],
    ]);
    expect(
      facts({
        epochsPerStage: 2,
        learningRateDecay: 1,
        stages: [
          { blocks: 1, epochs: 1 },
          { blocks: 6, rate: 0.3 },
        ],
      }),
    ).toEqual([
      [1, 1],
      [2, 0.3],
    ]);
  });

  it.each([
    [{ stages: [{ blocks: 3 }, { blocks: 2 }] }, 'method.stages.1.blocks', /must be 3 or more/],
    [{ stages: [{ blocks: 1, epochs: 1 }, { blocks: 2 }] }, 'method.stages.1.epochs', /epochsPerStage/],
    [{ stages: [] }, 'method.stages', /method\.stages/],
    [{ blocksPerStage: 0 }, 'method.blocksPerStage', /method\.blocksPerStage/],
    [{ layerDecay: 1.5 }, 'method.layerDecay', /method\.layerDecay/],
    [{ whenWorse: 'panic' }, 'method.whenWorse', /method\.whenWorse/],
  ])('refuses %j by its path', (options, path, message) => {
    expect(() => validateMethod(spec(options))).toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringMatching(message), context: { path } }),
    );
  });

  it('refuses more blocks than the model has, with the limit', () => {
    expect(() => stagesOf(spec({ stages: [{ blocks: 1 }, { blocks: 7 }] }), { layers: 6 })).toThrow(
      expect.objectContaining({
        message: 'method.stages.1.blocks is 7, but the model has 6 blocks.',
        hint: 'Use at most 6.',
      }),
    );
  });

  it('says its setting in a few words', () => {
    expect(describeMethod(spec())).toBe('Progressive unfreezing, four stages');
    expect(describeMethod(spec({ blocksPerStage: 1, whenWorse: 'back' }))).toBe(
      'Progressive unfreezing, 1 block a stage, back when worse',
    );
    expect(describeMethod(spec({ stages: [{ blocks: 1 }, { blocks: 3 }] }))).toBe(
      'Progressive unfreezing, stages of 1 then 3 blocks',
    );
  });
});

describe('what trains', () => {
  const method = findMethod('progressive');
  const ask = (name: string, stage: number, options: Record<string, unknown> = {}) => {
    if (!method) throw new Error('not registered');
    const all = method.options.parse(spec(options));
    const place = { stage, layers: 6 };
    return { trains: method.trains(name, all, place), rate: method.rate?.(name, all, place) };
  };

  it.each([
    ['bert.embeddings.word_embeddings.weight', [true, true, true, true], 0.5 ** 6],
    ['bert.encoder.layer.5.attention.self.query.weight', [true, true, true, true], 1],
    ['bert.encoder.layer.4.output.dense.bias', [false, true, true, true], 0.5],
    ['bert.encoder.layer.3.output.LayerNorm.weight', [false, true, true, true], 0.25],
    ['bert.encoder.layer.1.output.dense.weight', [false, false, true, true], 0.5 ** 4],
    ['bert.encoder.layer.0.output.dense.weight', [false, false, false, true], 0.5 ** 5],
    ['bert.pooler.dense.weight', [true, true, true, true], 1],
    ['classifier.weight', [true, true, true, true], 1],
    ['distilbert.transformer.layer.5.ffn.lin1.weight', [true, true, true, true], 1],
    ['model.layers.0.self_attn.q_proj.weight', [false, false, false, true], 0.5 ** 5],
    ['model.embed_tokens.weight', [true, true, true, true], 0.5 ** 6],
    ['model.norm.weight', [true, true, true, true], 1],
    ['h.4.attn.c_attn.weight', [false, true, true, true], 0.5],
    ['transformer.wpe.weight', [true, true, true, true], 0.5 ** 6],
  ])('%s: %j at %f of the rate', (name, stages, rate) => {
    expect([0, 1, 2, 3].map((stage) => ask(name, stage).trains)).toEqual(stages);
    expect(ask(name, 0, { layerDecay: 0.5 }).rate).toBe(rate);
  });
});

describe('the engine’s trainer of a stage', () => {
  const objective = { type: 'classification', labels: ['a', 'b', 'c'] } as const;
  const batch: Batch = {
    size: 2,
    sequence: 5,
    inputIds: Int32Array.of(5, 17, 23, 9, 0, 5, 40, 41, 42, 9),
    tokenTypeIds: new Int32Array(10),
    attentionMask: Int32Array.of(1, 1, 1, 1, 0, 1, 1, 1, 1, 1),
    labels: Int32Array.of(0, 2),
    weights: null,
  };
  const trainerOf = async (stage: number, initial?: NamedTensors) =>
    createTrainer({
      model: await openModel(join(oracleFolder, 'models', 'bert')),
      method: spec(),
      stage,
      objective,
      optimizer: { type: 'adamw', weightDecay: 0.01, gradientClip: 1 },
      modelDropout: 0.1,
      seed: 3,
      device: 'cpu',
      threads: 1,
      ...(initial ? { initial } : {}),
    });

  it('holds and trains its own parameters only, and goes on from those of the stage before', async () => {
    const first = await trainerOf(0);
    const names = first.trainable.map(({ name }) => name);
    expect(names.some((name) => name.includes('layer.0.'))).toBe(false);
    expect(names.some((name) => name.includes('layer.1.'))).toBe(true);
    await first.step([batch], 0.01);
    const left = first.parameters();
    expect([...left.keys()].sort()).toEqual([...names].sort());
    const then = await first.predict(batch);
    const second = await trainerOf(1, left);
    expect(second.trainableParameters).toBe(second.totalParameters);
    expect(largestDifference(await second.predict(batch), then)).toBeLessThan(1e-6);
    await first.dispose();
    await second.dispose();
  });

  it('keeps what only another stage trains at the value it is given', async () => {
    const all = await trainerOf(1);
    for (let step = 0; step < 3; step++) await all.step([batch], 0.01);
    const given = all.parameters();
    const then = await all.predict(batch);
    await all.dispose();
    const first = await trainerOf(0, given);
    expect(largestDifference(await first.predict(batch), then)).toBeLessThan(1e-6);
    await first.step([batch], 0.01);
    const kept = first.parameters();
    expect([...kept.keys()].sort()).toEqual([...given.keys()].sort());
    for (const [name, { data }] of given) {
      const moved = largestDifference(kept.get(name)?.data ?? [], data) > 0;
      if (name.includes('layer.0.')) expect(moved, name).toBe(false);
      if (name.includes('layer.1.') && name.endsWith('dense.weight')) expect(moved, name).toBe(true);
    }
    const state = first.saveState();
    const again = await trainerOf(0, kept);
    again.loadState(state);
    const [one, other] = [await first.step([batch], 0.01), await again.step([batch], 0.01)];
    expect(other).toEqual(one);
    await first.dispose();
    await again.dispose();
  });

  it('plans the union of all stages where none is asked for', async () => {
    const model = await openModel(join(oracleFolder, 'models', 'bert'));
    const trained = (stage?: number) =>
      planParameters({ model, method: spec(), objective, ...(stage === undefined ? {} : { stage }) }).filter(
        ({ trainable }) => trainable,
      ).length;
    expect(trained()).toBe(trained(1));
    expect(trained(0)).toBeLessThan(trained(1));
    expect(() => trained(2)).toThrow('none of number 2');
  });
});
