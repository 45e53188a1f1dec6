import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openModel, readSafetensors, writeSafetensors, type BaseModelInfo } from '../../../electron/engine/index.js';
import { exportFolder, loadAdapter } from '../../../electron/interchange/index.js';
import { makeTinyModel } from '../../helpers/tiny-model.js';
import { edit, exportBench, json } from './exported.js';

const { base, trained, fresh } = exportBench();
let model: BaseModelInfo;
beforeAll(() => {
  model = base();
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
      const other = fresh();
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
      await makeTinyModel(fresh(), { layers: 2, maxPositions: 32, intermediateSize: 48 }),
    );
    await expect(loadAdapter(folder, smaller)).rejects.toThrow(/the base model has \[48/);
    const deeper = await openModel(await makeTinyModel(fresh(), { layers: 3, maxPositions: 32 }));
    await expect(loadAdapter(folder, deeper)).rejects.toThrow(/do not hold "bert\.encoder\.layer\.2/);
    await edit(folder, 'config.json', { model_type: 'gpt2' });
    await expect(loadAdapter(folder, model)).rejects.toThrow(/the model is gpt2/);
    await expect(loadAdapter(dirname(fresh()), model)).rejects.toThrow(
      /neither adapter\.json, adapter_config\.json, adapter_setup\.json nor config\.json/,
    );
    await expect(loadAdapter(fresh(), model)).rejects.toThrow(/not a folder/);
  });
});
