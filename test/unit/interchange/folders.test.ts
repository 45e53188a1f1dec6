import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createPredictor,
  createTrainer,
  describeMethod,
  listMethods,
  openModel,
  openWeights,
  readSafetensors,
  validateMethod,
  writeSafetensors,
  type BaseModelInfo,
  type MethodSpec,
  type NamedTensors,
} from '../../../electron/engine/index.js';
import { exportFolder, loadAdapter, type ExportSource } from '../../../electron/interchange/index.js';
import { targetNames } from '../../../electron/interchange/targets.js';
import { specOf } from '../../helpers/methods.js';
import { makeTinyModel, tinyLabels } from '../../helpers/tiny-model.js';

let scratch: string;
let model: BaseModelInfo;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'interchange-'));
  model = await openModel(await makeTinyModel(join(scratch, 'base'), { layers: 2, maxPositions: 32 }));
});
afterAll(() => rm(scratch, { recursive: true }));

const batch = {
  size: 2,
  sequence: 5,
  inputIds: Int32Array.of(2, 80, 81, 82, 3, 2, 90, 91, 3, 0),
  attentionMask: Int32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 1, 0),
  tokenTypeIds: new Int32Array(10),
  labels: Int32Array.of(0, 1),
  weights: null,
};
const objective = { type: 'classification', labels: tinyLabels } as const;

/** Parameters some steps away from their start. */
async function trained(method: MethodSpec): Promise<ExportSource> {
  const trainer = await createTrainer({
    model,
    method,
    objective,
    optimizer: { type: 'sgd', weightDecay: 0, gradientClip: null },
    modelDropout: 0,
    seed: 5,
    device: 'cpu',
    threads: 1,
    steps: 3,
  });
  for (let step = 0; step < 3; step += 1) await trainer.step([batch], 0.5);
  const parameters = trainer.parameters();
  await trainer.dispose();
  return { model, method, labels: tinyLabels, parameters, maxLength: 16 };
}

async function logits(of: BaseModelInfo, method: MethodSpec, parameters: NamedTensors): Promise<number[]> {
  const predictor = await createPredictor({
    model: of,
    method,
    objective,
    parameters,
    seed: 9,
    device: 'cpu',
    threads: 1,
  });
  const result = [...(await predictor.predict(batch))];
  await predictor.dispose();
  return result;
}

const json = async (...path: string[]) =>
  z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(join(...path), 'utf8')));
const edit = async (folder: string, name: string, change: Readonly<Record<string, unknown>>) =>
  writeFile(join(folder, name), JSON.stringify({ ...(await json(folder, name)), ...change }));
let count = 0;
const fresh = () => join(scratch, `export-${(count += 1)}`);

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

describe('a folder that does not fit', () => {
  const lora = async () => {
    const folder = fresh();
    await exportFolder('peft', await trained({ type: 'lora', rank: 2 }), folder);
    return folder;
  };
  it.each([
    [{ use_dora: true }, /has no lora_magnitude_vector/],
    [{ init_lora_weights: 'pissa_niter_4' }, /init_lora_weights: starts that change the base/],
    [{ peft_type: 'XLORA' }, /peft_type: "XLORA" is not supported; this program reads LORA/],
    [{ bias: 'all' }, /bias: trained biases/],
    [{ rank_pattern: { query: 4 } }, /rank_pattern: different ranks/],
    [{ r: 3 }, /lora_A.weight of .* is \[2, 32\]; LoRA, r 3/],
  ])('peft with %o is refused', async (change, message) => {
    const folder = await lora();
    await edit(folder, 'adapter_config.json', change);
    await expect(loadAdapter(folder, model)).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringMatching(message),
    });
  });
  it("takes names without the architecture's prefix and with peft's wrappers", async () => {
    const folder = await lora();
    const path = join(folder, 'adapter_model.safetensors');
    const { tensors } = await readSafetensors(path);
    await writeSafetensors(
      path,
      new Map(
        [...tensors].map(([name, tensor]) => [
          name
            .replace('base_model.model.bert.', 'base_model.model.')
            .replace('.classifier.', '.classifier.modules_to_save.default.')
            .replace('lora_A.weight', 'lora_A.default.weight'),
          tensor,
        ]),
      ),
    );
    expect([...(await loadAdapter(folder, model)).parameters.keys()].sort()).toEqual(
      [...tensors.keys()].map((name) => name.replace('base_model.model.', '')).sort(),
    );
  });
  it('names a tensor of a module that the base lacks, a missing half, a stranger, and pickled weights', async () => {
    const folder = await lora();
    const path = join(folder, 'adapter_model.safetensors');
    const { tensors } = await readSafetensors(path);
    const written = (change: (name: string) => string | null) =>
      writeSafetensors(
        path,
        new Map(
          [...tensors].flatMap(([name, tensor]) => {
            const to = change(name);
            return to === null ? [] : [[to, tensor] as const];
          }),
        ),
      );
    await written((name) => name.replace('layer.1', 'layer.7'));
    await expect(loadAdapter(folder, model)).rejects.toThrow(/layer\.7.*does not have/);
    await written((name) => (name.includes('layer.1.attention.self.value.lora_B') ? null : name));
    await expect(loadAdapter(folder, model)).rejects.toThrow(/has no lora_B/);
    await written((name) => name.replace('classifier', 'score'));
    await expect(loadAdapter(folder, model)).rejects.toThrow(/neither a tensor of LoRA nor part of the head/);
    await rm(path);
    await writeFile(join(folder, 'adapter_model.bin'), 'PK');
    await expect(loadAdapter(folder, model)).rejects.toMatchObject({
      hint: expect.stringContaining('safe_serialization=True'),
    });
  });
  it.each([
    [{ ln_before: true }, /config\.ln_before: only false/],
    [{ mh_adapter: true, original_ln_before: true }, /neither as Houlsby's, nor as Pfeiffer's, nor as parallel/],
    [{ reduction_factor: { default: 8 } }, /reduction_factor: must be one number/],
    [{ non_linearity: 'tanh' }, /non_linearity/],
    [{ scaling: 'channel' }, /scaling: only a number or "learned"/],
    [{ architecture: 'lora' }, /this kind of adapter \(lora\) is not supported/],
  ])('AdapterHub with %o is refused', async (change, message) => {
    const folder = fresh();
    await exportFolder('adapterhub', await trained({ type: 'bottleneck' }), folder);
    const { config } = await json(folder, 'adapter_config.json');
    await edit(folder, 'adapter_config.json', {
      config: { ...z.record(z.string(), z.unknown()).parse(config), ...change },
    });
    await expect(loadAdapter(folder, model)).rejects.toThrow(message);
  });
  describe('of the studio', () => {
    const mixer = async () => {
      const folder = fresh();
      await exportFolder('studio', await trained({ type: 'mixer' }), folder);
      return folder;
    };
    it('is refused on a base of other weights', async () => {
      const folder = await mixer();
      const other = join(scratch, `other-${count}`);
      await makeTinyModel(other, { layers: 2, maxPositions: 32 });
      const path = join(other, 'model.safetensors');
      const { tensors } = await readSafetensors(path);
      const bias = tensors.get('pooler.dense.bias');
      if (bias === undefined) throw new Error(`no pooler among ${[...tensors.keys()].join(', ')}`);
      bias.data[0] = 1;
      await writeSafetensors(path, tensors);
      await expect(loadAdapter(folder, await openModel(other))).rejects.toMatchObject({
        code: 'bad-file',
        message: expect.stringMatching(/stands on other weights/),
        hint: expect.stringContaining('base (bert, 2 layers, width 32)'),
      });
    });
    it.each([
      [{ version: 2 }, /version: only version 1/],
      [{ format: 'peft' }, /format: this is not an adapter of PEFT Studio/],
      [{ labels: [] }, /labels/],
      [{ method: { type: 'mixed' } }, /adapter\.json: method\.type "mixed" is not known/],
      [{ method: { type: 'mixer', layersToTransform: [0] } }, /the file has no bert\.encoder\.layer\.0\.mixer/],
      [{ method: { type: 'head' } }, /mixer\.gate" has no place in Head only/],
    ])('is refused with %o', async (change, message) => {
      const folder = await mixer();
      await edit(folder, 'adapter.json', change);
      await expect(loadAdapter(folder, model)).rejects.toThrow(message);
      await expect(loadAdapter(folder, model)).rejects.toMatchObject({ code: 'bad-file' });
    });
    it('is refused without its weights', async () => {
      const folder = await mixer();
      await rm(join(folder, 'adapter.safetensors'));
      await expect(loadAdapter(folder, model)).rejects.toThrow(/no such file/);
    });
  });
  it('is refused for another architecture, other sizes, and when it is no export at all', async () => {
    const folder = fresh();
    await exportFolder('merged', await trained({ type: 'head' }), folder);
    const smaller = await openModel(
      await makeTinyModel(join(scratch, 'smaller'), { layers: 2, maxPositions: 32, intermediateSize: 48 }),
    );
    await expect(loadAdapter(folder, smaller)).rejects.toThrow(/the base model has \[48/);
    const deeper = await openModel(await makeTinyModel(join(scratch, 'deeper'), { layers: 3, maxPositions: 32 }));
    await expect(loadAdapter(folder, deeper)).rejects.toThrow(/do not hold "bert\.encoder\.layer\.2/);
    await edit(folder, 'config.json', { model_type: 'gpt2' });
    await expect(loadAdapter(folder, model)).rejects.toThrow(/the model is gpt2/);
    await expect(loadAdapter(scratch, model)).rejects.toThrow(
      /neither adapter\.json, adapter_config\.json, adapter_setup\.json nor config\.json/,
    );
    await expect(loadAdapter(join(scratch, 'absent'), model)).rejects.toThrow(/not a folder/);
  });
});

it('does not lose a float16 base when it merges: weights are read as they are', async () => {
  const folder = join(scratch, 'half');
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
