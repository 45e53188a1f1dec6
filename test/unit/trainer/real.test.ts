/** The trainer process with the real engine on a tiny BERT. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExportFormat } from '../../../electron/contract/entities.js';
import { trainingSchema, type MethodOptions, type Training } from '../../../electron/contract/plan.js';
import { openModel, validateMethod } from '../../../electron/engine/index.js';
import { exportFolder } from '../../../electron/interchange/index.js';
import { readHashed } from '../../../electron/trainer/checkpoint.js';
import type { JobOf, ServedModel } from '../../../electron/trainer/protocol.js';
import { expectSameAfterKills, Told } from '../../helpers/kills.js';
import { classDetails } from '../../helpers/outcomes.js';
import { asJsonLines, makeTinyModel, tinyLabels, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles, TrainerProcess } from '../../helpers/trainer-process.js';

let folder: string;
let modelFolder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'real-'));
  modelFolder = await makeTinyModel(join(folder, 'model'));
  await writeFile(join(folder, 'train.jsonl'), asJsonLines(tinyRows(160, 1)));
  await writeFile(join(folder, 'validation.jsonl'), asJsonLines(tinyRows(40, 2)));
  await writeFile(join(folder, 'test.jsonl'), asJsonLines(tinyRows(60, 3)));
});
afterAll(removeBundles);

const lora: MethodOptions = { type: 'lora', rank: 4, alpha: 8, dropout: 0.1, targetModules: ['query', 'value'] };
function jobOf(
  runFolder: string,
  method: MethodOptions,
  training: Partial<Training> = {},
  resume = false,
): JobOf<'train'> {
  return {
    type: 'train',
    resume,
    runFolder: join(folder, runFolder),
    task: {
      training: trainingSchema.parse({
        maxSteps: 60,
        batchSize: 16,
        learningRate: 0.01,
        maxLength: 32,
        checkpointEverySteps: 5,
        ...training,
      }),
      method,
      modelFolder,
      objective: { type: 'classification', labels: [...tinyLabels] },
      device: 'cpu',
      threads: 1,
      initFolder: null,
      data: {
        train: join(folder, 'train.jsonl'),
        validation: join(folder, 'validation.jsonl'),
        test: join(folder, 'test.jsonl'),
      },
    },
  };
}

/** A base of random weights cannot be steered by them. */
const unsteered = ['a projected prefix', 'the head on frozen layers'];

describe('the trainer process', () => {
  it.each([
    ['LoRA', lora, {}],
    ['LoRA by products in 8 bits', lora, { loadIn8bit: true }],
    ['full fine-tuning with accumulation', { type: 'full' }, { learningRate: 0.003, accumulationSteps: 2 }],
    // Stages of 30 steps: the kills fall into the first, at the start of the second and into its middle.
    ['progressive unfreezing', { type: 'progressive', whenWorse: 'back' }, { learningRate: 0.005 }],
    // What lies below is computed once a text, in another order after a kill.
    ['the head on frozen layers', { type: 'head' }, { modelDropout: 0 }],
    // Its checkpoints hold the MLP, what is kept does not.
    ['a projected prefix', { type: 'prefix', numVirtualTokens: 4, prefixProjection: true }, {}],
  ] as const)(
    '%s: killed with kill -9 again and again, it ends as if it had not been',
    { timeout: 120_000 },
    async (name, method, training) => {
      const jobAs = (end: string, resume: boolean) => jobOf(`${name} ${end}`, method, training, resume);
      const { whole } = await expectSameAfterKills(jobAs, [7, 31, 52]);
      expect(whole.losses.size).toBe(60);
      if (!unsteered.includes(name)) expect(whole.losses.get(60)).toBeLessThan(whole.losses.get(1) ?? 0);
    },
  );
});

describe('what a finished run is good for', () => {
  let trainer: TrainerProcess;
  beforeAll(async () => {
    trainer = await TrainerProcess.start();
  });
  afterAll(() => trainer.kill());

  const served = (runFolder: string | null, method: MethodOptions): ServedModel => ({
    key: runFolder ?? 'base',
    modelFolder,
    runFolder: runFolder === null ? null : join(folder, runFolder),
    method,
    objective: { type: 'classification', labels: [...tinyLabels] },
    maxLength: 32,
    seed: 1,
    device: 'cpu',
    threads: 1,
  });
  const train = async (
    name: string,
    method: MethodOptions,
    training: Partial<Training> = {},
    initFolder: string | null = null,
  ) => {
    const told = new Told();
    const job = jobOf(name, method, { maxSteps: 20, ...training });
    const result = await trainer.run({ ...job, task: { ...job.task, initFolder } }, told.listen);
    return { told, result };
  };
  /** Writes the export as the studio does. */
  const exported = async (name: string, method: MethodOptions, format: ExportFormat) => {
    const model = await openModel(modelFolder);
    const { tensors } = await readHashed(join(folder, name, 'trained.safetensors'));
    const to = join(folder, `${name} as ${format}`);
    const source = { model, method: validateMethod(method), labels: tinyLabels, parameters: tensors, maxLength: 32 };
    await exportFolder(format, source, to);
    return to;
  };

  it('answers as it did when it was tested', async () => {
    const { told } = await train('answers', { type: 'full' }, { maxSteps: 40, learningRate: 0.005 });
    const result = await trainer.run({
      type: 'predict',
      models: [served('answers', { type: 'full' }), served(null, { type: 'full' })],
      rows: tinyRows(60, 3).map(({ text, pair }) => ({ text, pair })),
    });
    if (result.type !== 'predict') throw new Error(result.type);
    const [own, base] = result.models;
    expect(own?.problem).toBeNull();
    own?.rows.forEach((row, index) => {
      const then = classDetails.parse(told.outcomes.get(index)?.details);
      row.probabilities.forEach((one, at) => expect(one).toBeCloseTo(then.probabilities[at] ?? Number.NaN, 5));
    });
    expect(base?.rows).toHaveLength(60);
    expect(base?.rows[0]?.logits).not.toEqual(own?.rows[0]?.logits);
  });

  it.each([
    ['peft', lora],
    ['merged', lora],
    ['onnx', lora],
    ['adapterhub', { type: 'bottleneck', placement: 'pfeiffer', reductionFactor: 8 }],
    ['onnx', { type: 'bottleneck', placement: 'houlsby', reductionFactor: 8 }],
    ['adapterhub', { type: 'compacter', reductionFactor: 8 }],
    ['studio', { type: 'mixer' }],
    ['onnx', { type: 'mixer', layersToTransform: [0] }],
    ['merged', { type: 'full' }],
    ['merged', { type: 'progressive' }],
    ['onnx', { type: 'progressive' }],
    ['merged', { type: 'bitfit' }],
    ['merged', { type: 'head' }],
    ['onnx', { type: 'full' }],
    ['peft', { type: 'prefix', numVirtualTokens: 4, prefixProjection: true }],
    ['peft', { type: 'prompt', numVirtualTokens: 4, initialization: 'text' }],
    ['peft', { type: 'p-tuning', numVirtualTokens: 4 }],
    ['peft', { type: 'p-tuning', numVirtualTokens: 4, version: 2 }],
    ['onnx', { type: 'p-tuning', numVirtualTokens: 4, anchorTokens: 2 }],
    ['studio', { type: 'prefix', numVirtualTokens: 4, prefixProjection: true }],
  ] as const)(
    '%s export of %o proves itself, and a wrong one does not',
    { timeout: 60_000 },
    async (format, method) => {
      const name = `${method.type} ${format}`;
      await train(name, method, { learningRate: 0.02 });
      const to = await exported(name, method, format);
      const job = {
        type: 'prove-export',
        format,
        folder: to,
        model: served(name, method),
        rowsFile: join(folder, 'test.jsonl'),
        limit: 40,
      } as const;
      const proof = await trainer.run(job);
      expect(proof).toMatchObject({ type: 'prove-export', rows: 40, sameLabels: true });
      expect(proof.type === 'prove-export' && proof.largestDifference).toBeLessThan(1e-4);
      // The same export against another run must show.
      await train(`${name} other`, method, { learningRate: 0.02, seed: 7 });
      const wrong = await trainer.run({ ...job, model: served(`${name} other`, method) });
      expect(wrong.type === 'prove-export' && wrong.largestDifference).toBeGreaterThan(1e-3);
    },
  );

  it('computes what lies frozen below the head once a text, where nothing is dropped and texts come again', async () => {
    const head = { type: 'head' };
    const once = /the first 2 layers, so what they give is computed once, for 200 texts/;
    const notes = async (name: string, training: Partial<Training>) =>
      (await train(name, head, training)).told.log.filter((line) => once.test(line)).length;
    expect(await notes('kept', { modelDropout: 0 })).toBe(1);
    expect(await notes('dropped', {})).toBe(0);
    expect(await notes('seen once', { modelDropout: 0, maxSteps: 10 })).toBe(0);
  });

  it('starts from an export where it stood, and refuses what does not fit', async () => {
    await train('start', lora, { learningRate: 0.02 });
    const to = await exported('start', lora, 'peft');
    const first = await trainer.run({ type: 'predict', models: [served('start', lora)], rows: [{ text: 'the cat' }] });
    await train('started', lora, { maxSteps: 0 }, to);
    const second = await trainer.run({
      type: 'predict',
      models: [served('started', lora)],
      rows: [{ text: 'the cat' }],
    });
    if (first.type !== 'predict' || second.type !== 'predict') throw new Error('no answers');
    expect(second.models[0]?.rows).toEqual(first.models[0]?.rows);
    await expect(train('refused', { ...lora, alpha: 32 }, {}, to)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('method.alpha is 32'),
    });

    const merged = await exported('start', lora, 'merged');
    await expect(train('refused', { type: 'head' }, {}, merged)).rejects.toMatchObject({
      code: 'bad-input',
      hint: expect.stringContaining('base model of its own'),
    });
    await train('merged start', { type: 'full' }, { maxSteps: 0 }, merged);
    const third = await trainer.run({
      type: 'predict',
      models: [served('merged start', { type: 'full' })],
      rows: [{ text: 'the cat' }],
    });
    if (third.type !== 'predict') throw new Error('no answers');
    third.models[0]?.rows[0]?.logits.forEach((logit, at) =>
      expect(logit).toBeCloseTo(first.models[0]?.rows[0]?.logits[at] ?? Number.NaN, 4),
    );
  });

  it('keeps a soft prompt without its encoder, starts others from it, and tells the words near to it', async () => {
    const method = { type: 'p-tuning', numVirtualTokens: 3, encoderHiddenSize: 16 };
    const { result } = await train('encoded', method);
    const { tensors } = await readHashed(join(folder, 'encoded', 'trained.safetensors'));
    expect([...tensors.keys()].filter((name) => name.startsWith('prompt'))).toEqual(['prompt.embeddings']);
    expect(result.type === 'train' && result.result?.trainableParameters).toBeGreaterThan(3 * 32 + 16 * 32);
    await expect(train('refused', method, {}, join(folder, 'encoded'))).rejects.toMatchObject({
      code: 'bad-input',
      hint: expect.stringContaining('{"type":"prompt","numVirtualTokens":3}'),
    });

    const prompt = { type: 'prompt', numVirtualTokens: 3 };
    await train('from encoded', prompt, { maxSteps: 0 }, join(folder, 'encoded'));
    const rows = [{ text: 'the cat' }];
    const models = [served('encoded', method), served('from encoded', prompt)];
    const answers = await trainer.run({ type: 'predict', models, rows });
    if (answers.type !== 'predict') throw new Error(answers.type);
    expect(answers.models[1]?.rows).toEqual(answers.models[0]?.rows);

    const near = (name: string) =>
      trainer.run({ type: 'virtual-words', modelFolder, runFolder: join(folder, name), count: 4 });
    const words = await near('encoded');
    if (words.type !== 'virtual-words' || words.tokens === null) throw new Error('no words');
    expect(words.tokens.map((token) => token.length)).toEqual([4, 4, 4]);
    expect(words.tokens.flat().every(({ word, similarity }) => word !== '' && Math.abs(similarity) <= 1)).toBe(true);
    await train('keys', { type: 'prefix', numVirtualTokens: 3 }, { maxSteps: 1 });
    expect(await near('keys')).toEqual({ type: 'virtual-words', tokens: null });
  });

  it('refuses texts that leave no position to the virtual tokens', async () => {
    const model = await openModel(modelFolder);
    const method = { type: 'prompt', numVirtualTokens: 8 };
    await expect(train('long', method, { maxLength: model.maxLength - 7 })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining(`takes at most ${model.maxLength} tokens, 8 of them virtual ones`),
      hint: expect.stringContaining(`${model.maxLength - 8} or less`),
    });
  });

  it.each([
    { type: 'full', training: {}, kept: 0 },
    // Its base is computed once a text.
    { type: 'head', training: { modelDropout: 0 }, kept: 1 },
  ])('the probe is near what a run of $type then takes', async ({ type, training, kept }) => {
    const settings = { maxSteps: 60, ...training };
    const { task } = jobOf(`probed ${type}`, { type }, settings);
    const probe = await trainer.run({ type: 'probe', task });
    if (probe.type !== 'probe') throw new Error(probe.type);
    expect(probe).toMatchObject({ measured: true, estimate: { totalSteps: 60, fits: true } });
    const { result, told } = await train(`probed ${type}`, { type }, settings);
    if (result.type !== 'train' || result.result === null) throw new Error('no result');
    expect(told.log.filter((message) => message.startsWith('Kept for all steps'))).toHaveLength(kept);
    const { trainingSeconds, peakMemoryBytes } = result.result;
    expect(probe.estimate.trainableParameters).toBe(result.result.trainableParameters);
    // On a busy machine of two cores only the order of magnitude is certain.
    expect(probe.estimate.seconds.low).toBeLessThan((trainingSeconds ?? 0) * 5);
    expect(probe.estimate.seconds.high).toBeGreaterThan((trainingSeconds ?? Infinity) / 5);
    expect(probe.estimate.peakMemoryBytes).toBeLessThan(2 * (peakMemoryBytes ?? 0));
  });

  it('tests and times the processor, which is the reference of the others', async () => {
    const empty = await mkdtemp(join(folder, 'device-'));
    expect(await trainer.run({ type: 'device-test', device: 'cpu', folder: empty })).toMatchObject({
      report: { id: 'cpu', status: 'passed', difference: 0, secondsPerStep: expect.any(Number), reason: null },
    });
  });

  it('a run whose loss is no number says so with its step', async () => {
    const broken = await makeTinyModel(join(folder, 'broken'));
    const bytes = await readFile(join(broken, 'model.safetensors'));
    bytes.writeFloatLE(Number.NaN, bytes.length - 4); // the pooler's last bias
    await writeFile(join(broken, 'model.safetensors'), bytes);
    const job = jobOf('diverged', { type: 'head' });
    await expect(trainer.run({ ...job, task: { ...job.task, modelFolder: broken } })).rejects.toMatchObject({
      code: 'diverged',
      message: expect.stringContaining('step 1 '),
    });
  });
});
