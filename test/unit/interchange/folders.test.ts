import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  describeMethod,
  listMethods,
  openModel,
  openWeights,
  readSafetensors,
  validateMethod,
  writeSafetensors,
  type BaseModelInfo,
  type NamedTensors,
} from '../../../electron/engine/index.js';
import { exportFolder, loadAdapter } from '../../../electron/interchange/index.js';
import { targetNames } from '../../../electron/interchange/targets.js';
import { specOf } from '../../helpers/methods.js';
import { makeTinyModel, tinyLabels } from '../../helpers/tiny-model.js';
import { edit, exportBench, json, logits } from './exported.js';

const { base, trained, fresh } = exportBench();
let model: BaseModelInfo;
beforeAll(() => {
  model = base();
});

describe('an exported folder, read again', () => {
  it.each([
    ['peft', { type: 'lora', rank: 2 }],
    ['peft', { type: 'lora', rank: 3, alpha: 5, targetModules: '.*layer\\.1\\.(attention\\.output|output)\\.dense' }],
    ['peft', { type: 'lora', rank: 3, useDora: true, useRslora: true, loraPlusRatio: 4 }],
    ['peft', { type: 'loha', rank: 2, targetModules: ['key', 'intermediate.dense'] }],
    ['peft', { type: 'lokr', rank: 1, decomposeBoth: true, decomposeFactor: 4 }],
    ['peft', { type: 'vera', rank: 5, targetModules: ['query', 'intermediate.dense'] }],
    ['peft', { type: 'ia3' }],
    ['peft', { type: 'ia3', targetModules: ['query'], feedforwardModules: [] }],
    ['adapterhub', { type: 'bottleneck', reductionFactor: 4 }],
    ['adapterhub', { type: 'bottleneck', placement: 'houlsby', reductionFactor: 5, activation: 'gelu' }],
    ['adapterhub', { type: 'bottleneck', placement: 'parallel', reductionFactor: 4 }],
    ['adapterhub', { type: 'bottleneck', reductionFactor: 4, scaling: 'learned' }],
    // Its bottleneck of 5 is rounded down to 4, so the library has to be told another factor.
    ['adapterhub', { type: 'compacter', reductionFactor: 6, phmRank: 2 }],
    ['adapterhub', { type: 'compacter', placement: 'pfeiffer', sharedPhmRule: false, factorizedPhmW: false }],
  ] as const)('%s of %o gives method, labels and parameters back, and the same logits', async (format, method) => {
    const source = await trained(method);
    const folder = fresh();
    await exportFolder(format, source, folder);
    const loaded = await loadAdapter(folder, model);
    expect(loaded.kind).toBe(format);
    expect(loaded.labels).toEqual(tinyLabels);
    expect(loaded.parameters).toEqual(source.parameters);
    expect(await logits(model, loaded.method, loaded.parameters)).toEqual(
      await logits(model, method, source.parameters),
    );
    expect(await readdir(folder)).toContain('README.md');
  });

  it('peft of PiSSA is a plain LoRA of twice the rank that answers alike', async () => {
    const method = { type: 'lora', rank: 2, alpha: 3, useRslora: true, initialization: 'pissa' };
    const source = await trained(method);
    const folder = fresh();
    await exportFolder('peft', source, folder);
    const loaded = await loadAdapter(folder, model);
    expect(loaded.method).toMatchObject({ type: 'lora', rank: 4, useRslora: true });
    const [ours, theirs] = [
      await logits(model, method, source.parameters),
      await logits(model, loaded.method, loaded.parameters),
    ];
    ours.forEach((value, i) => expect(theirs[i]).toBeCloseTo(value, 5));
  });

  it('peft of AdaLoRA leaves out the ranks that were cut', async () => {
    const method = { type: 'adalora', initRank: 4, targetRank: 1, tinit: 0, tfinal: 1 };
    const source = await trained(method);
    const folder = fresh();
    await exportFolder('peft', source, folder);
    const kept = z
      .record(z.string(), z.array(z.boolean()))
      .parse((await json(folder, 'adapter_config.json'))['rank_pattern']);
    expect(Object.values(kept).flat().filter(Boolean)).toHaveLength(Object.keys(kept).length);
    const { tensors } = await readSafetensors(join(folder, 'adapter_model.safetensors'));
    for (const [name, flags] of Object.entries(kept))
      expect(tensors.get(`base_model.model.${name}`)?.shape).toEqual([flags.filter(Boolean).length, 1]);
    const loaded = await loadAdapter(folder, model);
    expect(loaded.method).toMatchObject(method);
    expect(await logits(model, loaded.method, loaded.parameters)).toEqual(
      await logits(model, method, source.parameters),
    );
    await edit(folder, 'adapter_config.json', {
      rank_pattern: Object.fromEntries(Object.keys(kept).map((name) => [name, [true, true, true, true]])),
    });
    await expect(loadAdapter(folder, model)).rejects.toThrow(/rank_pattern: .* keeps 4 of 4 ranks/);
  });

  // Prompt wording has no tensors: its folder is tried with its text, in test/unit/studio/verbalizer.test.ts.
  const withTensors = listMethods().filter(({ type }) => type !== 'prompt-search');
  it.each(withTensors.map(({ type }) => specOf(type)))('studio of %o too, whatever the method', async (method) => {
    const source = await trained(method);
    const folder = fresh();
    await exportFolder('studio', source, folder);
    const loaded = await loadAdapter(folder, model);
    expect(loaded).toEqual({
      kind: 'studio',
      method: validateMethod(method),
      labels: tinyLabels,
      problem: null,
      parameters: source.parameters,
    });
    expect(await logits(model, loaded.method, loaded.parameters)).toEqual(
      await logits(model, method, source.parameters),
    );
    expect(await readFile(join(folder, 'README.md'), 'utf8')).toContain(describeMethod(method));
  });

  it.each([{ type: 'lora', rank: 2 }, { type: 'bitfit' }, { type: 'head' }, { type: 'full' }, { type: 'mixer' }])(
    'merged from %o is a base model that answers alike by itself',
    async (method) => {
      const source = await trained(method);
      const folder = fresh();
      await exportFolder('merged', source, folder);
      const merged = await openModel(folder);
      const [ours, theirs] = [
        await logits(model, method, source.parameters),
        await logits(merged, { type: 'head' }, new Map()),
      ];
      ours.forEach((value, i) => expect(theirs[i]).toBeCloseTo(value, 5));
      const loaded = await loadAdapter(folder, model);
      expect(loaded).toMatchObject({ kind: 'merged', method: { type: 'full' }, labels: tinyLabels });
      expect([...(await logits(model, loaded.method, loaded.parameters))]).toEqual(theirs);
      expect(await json(folder, 'config.json')).toMatchObject({
        architectures: ['BertForSequenceClassification'],
        id2label: { 0: tinyLabels[0] },
        label2id: { [tinyLabels[1]!]: 1 },
      });
      expect(await readdir(folder)).toEqual(
        expect.arrayContaining(['tokenizer.json', 'vocab.txt', 'tokenizer_config.json']),
      );
    },
  );

  it('onnx holds the labels and the tokenizer beside the graph', async () => {
    const folder = fresh();
    await exportFolder('onnx', await trained({ type: 'bottleneck' }), folder);
    expect((await readdir(folder)).sort()).toEqual([
      'README.md',
      'config.json',
      'model.onnx',
      'tokenizer.json',
      'tokenizer_config.json',
      'vocab.txt',
    ]);
  });

  it('is refused in a format that the method does not have', async () => {
    await expect(exportFolder('peft', await trained({ type: 'bitfit' }), fresh())).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('it holds LoRA'),
    });
    await expect(exportFolder('adapterhub', await trained({ type: 'head' }), fresh())).rejects.toThrow(
      /does not hold "head"; it holds Bottleneck, Compacter/,
    );
    await expect(exportFolder('merged', await trained({ type: 'bottleneck' }), fresh())).rejects.toThrow(
      /does not merge/,
    );
  });
});

it('writes numbers that must be floats as floats', async () => {
  const folder = fresh();
  await exportFolder('adapterhub', await trained({ type: 'bottleneck' }), folder);
  expect(await readFile(join(folder, 'adapter_config.json'), 'utf8')).toContain('"scaling": 1.0,');
});

it('names targets so that exactly the chosen modules match', () => {
  const layers = [0, 1].map((layer) => `bert.encoder.layer.${layer}`);
  const matched = (names: readonly string[]) =>
    model.parameters
      .map(({ name }) => name.replace(/\.(weight|bias)$/, ''))
      .filter((module) => names.some((name) => module === name || module.endsWith(`.${name}`)));
  for (const [chosen, expected] of [
    [layers.map((layer) => `${layer}.attention.self.query`), ['query']],
    [layers.map((layer) => `${layer}.attention.output.dense`), ['attention.output.dense']],
    [[`${layers[0]}.attention.self.key`], ['0.attention.self.key']],
    [layers.map((layer) => `${layer}.output.dense`), ['0.output.dense', '1.output.dense']],
  ] as const) {
    const names = targetNames(model, new Set(chosen));
    expect(names).toEqual(expected);
    expect(new Set(matched(names))).toEqual(new Set(chosen));
  }
});

it('does not lose a float16 base when it merges: weights are read as they are', async () => {
  const folder = fresh();
  await makeTinyModel(folder, { layers: 1, maxPositions: 16 });
  const weights = await openWeights(folder);
  const tensors = await Promise.all(
    [...weights.entries.keys()].map(async (name) => ({ name, dtype: 'F16' as const, ...(await weights.read(name)) })),
  );
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  const half = await openModel(folder);
  const head: NamedTensors = new Map([
    ['classifier.weight', { shape: [3, 32], data: new Float32Array(96).fill(0.1) }],
    ['classifier.bias', { shape: [3], data: new Float32Array(3) }],
  ]);
  const to = fresh();
  await exportFolder(
    'merged',
    { model: half, method: { type: 'head' }, labels: tinyLabels, parameters: head, maxLength: 16 },
    to,
  );
  const merged = await openWeights(to);
  const base = await openWeights(folder);
  expect(await merged.read('bert.encoder.layer.0.output.dense.weight')).toEqual(
    await base.read('encoder.layer.0.output.dense.weight'),
  );
});
