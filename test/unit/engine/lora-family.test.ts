/** What LoRA's relatives promise beyond the conformance suite, which tries each with its defaults. */
import { join } from 'node:path';
import { Matrix, SVD } from 'ml-matrix';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createPredictor,
  createTrainer,
  mergedTensors,
  openModel,
  type BaseModelInfo,
  type Batch,
  type EngineTrainer,
  type MethodSpec,
  type NamedTensors,
  type Tensor,
  type TrainerOptions,
} from '../../../electron/engine/index.js';
import { factorization } from '../../../electron/engine/peft/lokr.js';
import { principalParts } from '../../../electron/engine/peft/singular-values.js';
import type { StartSource } from '../../../electron/engine/models/builder.js';
import { RankAllocator } from '../../../electron/engine/peft/rank-allocator.js';
import { largestDifference, oracleFolder } from '../../helpers/oracle.js';

const objective = { type: 'classification', labels: ['a', 'b', 'c'] } as const;
const batch: Batch = {
  size: 3,
  sequence: 5,
  inputIds: Int32Array.from({ length: 15 }, (_, i) => 5 + ((i * 7) % 40)),
  tokenTypeIds: new Int32Array(15),
  attentionMask: new Int32Array(15).fill(1),
  labels: Int32Array.of(0, 1, 2),
  weights: null,
};
const models = new Map<string, BaseModelInfo>();
let model: BaseModelInfo;
beforeAll(async () => {
  for (const name of ['bert', 'gpt2', 'qwen3']) models.set(name, await openModel(join(oracleFolder, 'models', name)));
  model = models.get('bert') as BaseModelInfo;
});

function trainer(method: MethodSpec, more: Partial<TrainerOptions> = {}): Promise<EngineTrainer> {
  return createTrainer({
    model,
    method,
    objective,
    optimizer: { type: 'adamw', weightDecay: 0, gradientClip: 1 },
    modelDropout: 0,
    seed: 3,
    device: 'cpu',
    threads: 1,
    ...more,
  });
}

async function logits(method: MethodSpec, parameters: NamedTensors, of: BaseModelInfo): Promise<Float32Array> {
  const predictor = await createPredictor({
    model: of,
    method,
    objective,
    parameters,
    seed: 3,
    device: 'cpu',
    threads: 1,
  });
  const result = await predictor.predict(batch);
  await predictor.dispose();
  return result;
}

const variants: MethodSpec[] = [
  { type: 'lora', rank: 4, useDora: true },
  { type: 'lora', rank: 4, useDora: true, dropout: 0.5 },
  { type: 'lora', rank: 4, useRslora: true, initialization: 'pissa' },
  {
    type: 'lora',
    rank: 4,
    useDora: true,
    initialization: 'pissa',
    targetModules: ['intermediate.dense', 'output.dense'],
  },
  { type: 'lokr', rank: 1, decomposeBoth: true },
  { type: 'vera', rank: 8, targetModules: ['query', 'intermediate.dense', '0.output.dense'] },
  { type: 'ia3', targetModules: ['query', 'intermediate.dense'], feedforwardModules: ['intermediate.dense'] },
];

const onDecoders: MethodSpec[] = [
  { type: 'lora', rank: 4, useDora: true, initialization: 'pissa' },
  { type: 'loha', rank: 2 },
  { type: 'lokr', rank: 2 },
  { type: 'vera', rank: 8 },
  { type: 'ia3' },
  { type: 'adalora', initRank: 3, targetRank: 2 },
];

describe.each([
  ...variants.map((method) => ['bert', method] as const),
  ...onDecoders.flatMap((method) => (['gpt2', 'qwen3'] as const).map((name) => [name, method] as const)),
])('%s: %j', (name, method) => {
  it('starts as the base model does, and answers the same merged', async () => {
    const own = models.get(name) as BaseModelInfo;
    const answers = (spec: MethodSpec, parameters: NamedTensors) => logits(spec, parameters, own);
    const base = await answers({ type: 'head' }, new Map());
    expect(largestDifference(await answers(method, new Map()), base)).toBeLessThan(1e-5);
    const training = await trainer(method, { model: own, steps: 10 });
    for (let step = 0; step < 3; step++) await training.step([batch], 0.02);
    const [live, parameters] = [await training.predict(batch), training.parameters()];
    await training.dispose();
    const merged: NamedTensors = new Map();
    for (const { name: tensor, shape, data } of mergedTensors(own, method, objective, parameters))
      merged.set(tensor, { shape, data: typeof data === 'function' ? await data() : data });
    // Full fine-tuning reads every weight from what it is given.
    expect(largestDifference(await answers({ type: 'full' }, merged), live)).toBeLessThan(2e-5);
    expect(largestDifference(base, live)).toBeGreaterThan(1e-3);
  });
});

it('PiSSA starts from the best approximation of the weight, and keeps the start beside it', async () => {
  const own = await trainer({ type: 'lora', rank: 4, alpha: 8, initialization: 'pissa' });
  const parameters = own.parameters();
  await own.dispose();
  const module = 'bert.encoder.layer.0.attention.self.query';
  const [a, b] = ['lora_A', 'lora_B'].map((part) => parameters.get(`${module}.${part}.weight`) as Tensor);
  expect(parameters.get(`${module}.pissa_A.weight`)).toEqual(a);
  expect(parameters.get(`${module}.pissa_B.weight`)).toEqual(b);
  // s·BᵀB and AAᵀ·s are the singular values on the diagonal, nothing beside it, and falling.
  const gram = (rows: (k: number) => Float32Array) =>
    [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => dot(rows(i), rows(j))));
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * (y[i] as number), 0) * 2;
  const width = a!.shape[1] as number;
  const ofA = gram((k) => a!.data.slice(k * width, (k + 1) * width));
  const ofB = gram((k) => b!.data.filter((_, i) => i % 4 === k));
  for (let i = 0; i < 4; i++)
    for (let j = 0; j < 4; j++) {
      expect(ofA[i]![j]).toBeCloseTo(ofB[i]![j]!, 4);
      if (i !== j) expect(ofA[i]![j]).toBeCloseTo(0, 4);
      else if (i > 0) expect(ofA[i]![i]!).toBeLessThan(ofA[i - 1]![i - 1]!);
    }
});

it('PiSSA finds the singular values that a full decomposition finds, of weights of any shape and rank', async () => {
  const draw = (i: number) => Math.sin(1 + i * i * 0.7);
  const outer = (rows: number, columns: number) =>
    Float32Array.from({ length: rows * columns }, (_, i) => draw(Math.floor(i / columns)) * draw(7 + (i % columns)));
  for (const [rows, columns, rank, data] of [
    [60, 90, 8, Float32Array.from({ length: 5400 }, (_, i) => draw(i))],
    [90, 60, 60, Float32Array.from({ length: 5400 }, (_, i) => draw(i))],
    [20, 30, 4, outer(20, 30)], // of rank 1
    [6, 6, 3, Float32Array.from({ length: 36 }, (_, i) => (i % 7 === 0 ? 2 : 0))], // all alike
    [5, 8, 2, new Float32Array(40)],
  ] as const) {
    const read = () => Promise.resolve({ shape: [rows, columns], data });
    const [down, up] = principalParts(rank, 4)({ module: 'm', layer: 0, inFeatures: columns, outFeatures: rows });
    const source = { read } as unknown as StartSource;
    if (typeof down !== 'object' || !('from' in down) || typeof up !== 'object' || !('from' in up)) throw new Error();
    const [a, b] = [
      Matrix.from1DArray(rank, columns, [...(await down.from(source))]),
      Matrix.from1DArray(rows, rank, [...(await up.from(source))]),
    ];
    const whole = new SVD(Matrix.from1DArray(rows, columns, [...data]), { autoTranspose: true });
    const values = whole.diagonal.slice(0, rank);
    const close = (x: Matrix, y: Matrix) => expect(Matrix.sub(x, y).norm()).toBeLessThan(1e-5 * (1 + values[0]!));
    close(a.mmul(a.transpose()).mul(4), Matrix.diag(values));
    close(b.transpose().mmul(b).mul(4), Matrix.diag(values));
    const kept = Matrix.diag(whole.diagonal.map((value, i) => (i < rank ? value : 0)));
    if (whole.diagonal[rank - 1]! > (whole.diagonal[rank] ?? 0) * 1.001)
      close(b.mmul(a).mul(4), whole.leftSingularVectors.mmul(kept).mmul(whole.rightSingularVectors.transpose()));
  }
});

it('PiSSA names a rank that a weight does not have', async () => {
  await expect(trainer({ type: 'lora', rank: 33, initialization: 'pissa' })).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining('has only 32 singular values') as string,
    context: { path: 'method.rank' },
  });
});

it('LoRA+ moves B and vectors by a multiple of the learning rate', async () => {
  const moved = async (loraPlusRatio: number) => {
    const own = await trainer(
      { type: 'lora', rank: 2, loraPlusRatio },
      { optimizer: { type: 'sgd', weightDecay: 0, gradientClip: null } },
    );
    const before = own.parameters();
    await own.step([batch], 0.1);
    const after = own.parameters();
    await own.dispose();
    const change = (name: string) => (after.get(name)!.data[0] as number) - (before.get(name)!.data[0] as number);
    return ['bert.encoder.layer.0.attention.self.query.lora_B.weight', 'classifier.bias', 'classifier.weight'].map(
      change,
    );
  };
  const [plain, plus] = [await moved(1), await moved(5)];
  expect(plus[0]! / plain[0]!).toBeCloseTo(5, 3);
  expect(plus[1]! / plain[1]!).toBeCloseTo(5, 3);
  expect(plus[2]! / plain[2]!).toBeCloseTo(1, 5);
});

it('VeRA has the same random matrices in every run of one key', async () => {
  const matrices = async (projectionPrngKey: number, seed: number) => {
    const own = await trainer({ type: 'vera', rank: 4, projectionPrngKey }, { seed });
    const parameters = own.parameters();
    await own.dispose();
    return parameters.get('vera_A')!.data;
  };
  const [one, two, other] = [await matrices(1, 1), await matrices(1, 2), await matrices(2, 1)];
  expect(two).toEqual(one);
  expect(largestDifference(other, one)).toBeGreaterThan(0.1);
});

it('LoKr factorizes as LyCORIS does', () => {
  for (const [dimension, factor, expected] of [
    [256, -1, [16, 16]],
    [128, -1, [8, 16]],
    [127, -1, [1, 127]],
    [128, 4, [4, 32]],
    [384, -1, [16, 24]],
    [128, 64, [64, 2]],
    [250, 4, [2, 125]],
  ] as const)
    expect(factorization(dimension, factor), `${dimension} by ${factor}`).toEqual(expected);
});

describe('AdaLoRA', () => {
  const method = { type: 'adalora', initRank: 4, targetRank: 1, tinit: 2, tfinal: 3 };
  const ranks = (parameters: NamedTensors) =>
    [...parameters]
      .filter(([name]) => name.endsWith('.lora_E'))
      .flatMap(([, { data }]) => [...data])
      .filter((value) => value !== 0).length;

  it('cuts ranks to the target over the run, and a resumed run cuts the same', async () => {
    const own = await trainer(method, { steps: 10 });
    const left: number[] = [];
    let state: NamedTensors = new Map();
    for (let step = 1; step <= 10; step++) {
      await own.step(step % 2 ? [batch] : [batch, batch], 0.02);
      left.push(ranks(own.parameters()));
      if (step === 4) state = own.saveState();
    }
    const modules = left[0]! / 4;
    expect(Number.isInteger(modules)).toBe(true);
    expect(left.slice(0, 2)).toEqual([4 * modules, 4 * modules]);
    for (let i = 1; i < left.length; i++) expect(left[i]!).toBeLessThanOrEqual(left[i - 1]!);
    expect(left.slice(6)).toEqual([modules, modules, modules, modules]);

    const resumed = await trainer(method, { steps: 10 });
    resumed.loadState(state);
    for (let step = 5; step <= 10; step++) await resumed.step(step % 2 ? [batch] : [batch, batch], 0.02);
    expect(resumed.parameters()).toEqual(own.parameters());
    const { lossSum } = await resumed.evaluate(batch);
    expect(lossSum).toBe((await own.evaluate(batch)).lossSum);
    await own.dispose();
    await resumed.dispose();
  });

  it('asks for the number of steps, and for some to cut ranks in', async () => {
    await expect(trainer(method)).rejects.toThrow(/how many steps/);
    await expect(trainer(method, { steps: 5 })).rejects.toMatchObject({ context: { path: 'method.tinit' } });
    await expect(trainer({ ...method, targetRank: 5 }, { steps: 10 })).rejects.toThrow(/method\.targetRank/);
  });

  it('refuses a state without its memory', async () => {
    const own = await trainer(method, { steps: 10 });
    const state = own.saveState();
    for (const name of state.keys()) if (name.startsWith('watch/')) state.delete(name);
    expect(() => own.loadState(state)).toThrow(/does not hold watch\//);
    await own.dispose();
  });

  it('keeps what the smoothed importance says, by hand', () => {
    const tensor = (shape: number[], data: number[]): Tensor => ({ shape, data: Float32Array.from(data) });
    const parameters: NamedTensors = new Map([
      ['m.lora_A', tensor([2, 2], [1, 1, 1, 1])],
      ['m.lora_E', tensor([2, 1], [1, 1])],
      ['m.lora_B', tensor([1, 2], [1, 1])],
    ]);
    const gradients: NamedTensors = new Map([
      ['m.lora_A', tensor([2, 2], [0, 0, 0, 4])],
      ['m.lora_E', tensor([2, 1], [1, 1])],
      ['m.lora_B', tensor([1, 2], [1.5, 1])],
    ]);
    const allocator = new RankAllocator(
      [...parameters].map(([name, { shape }]) => ({ name, shape })),
      { initRank: 2, targetRank: 1, tinit: 0, tfinal: 1, deltaT: 1, beta1: 0.5, beta2: 0.5, steps: 3 },
    );
    allocator.afterStep(1, parameters, gradients);
    // Σ of (g/2)·(g/4): first 1/8 + 2.25/8, second 1/8 + 1/8 + mean(0, 16)/8. The budget after step 1 of 2 is 1 + 1/8, cut to 1.
    expect([...parameters.get('m.lora_E')!.data]).toEqual([0, 1]);
  });
});
