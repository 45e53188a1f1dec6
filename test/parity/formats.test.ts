/** Folders that peft and AdapterHub saved: read here they give the libraries' logits, and written again they hold the same tensors and settings. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPredictor, openModel, readSafetensors } from '../../electron/engine/index.js';
import { exportAdapterHub } from '../../electron/interchange/adapterhub.js';
import { loadAdapter } from '../../electron/interchange/load.js';
import { exportPeft } from '../../electron/interchange/peft.js';
import { largestDifference, oracleBatchSchema, oracleFolder, oracleJson, toBatch } from '../helpers/oracle.js';

const models = ['bert', 'roberta', 'distilbert'] as const;
const batchesSchema = z.object({
  labels: z.array(z.string()),
  batches: z.array(oracleBatchSchema.extend({ name: z.string() })),
});
const logitsSchema = z.object({ logits: z.record(z.string(), z.array(z.number())) });
const json = async (path: string) => z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(path, 'utf8')));

/** Kinds of AdapterHub folders of a model whose weights are not pickled: "adapterhub-pfeiffer". */
const adapterHubFolders = (model: string) =>
  readdirSync(join(oracleFolder, 'formats'))
    .filter((folder) => folder.startsWith('adapterhub-') && folder.endsWith(`-${model}`))
    .filter((folder) => existsSync(join(oracleFolder, 'formats', folder, 'adapter.safetensors')))
    .map((folder) => folder.slice(0, -model.length - 1));

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'formats-'));
});
afterAll(() => rm(scratch, { recursive: true }));

describe.each(models)('%s', (name) => {
  const { labels, batches } = oracleJson(batchesSchema, 'models', `${name}.json`);
  const base = () => openModel(join(oracleFolder, 'models', name));

  it.each(['peft-lora', ...adapterHubFolders(name)])('reads %s and gives its logits', async (format) => {
    const { logits } = oracleJson(logitsSchema, 'formats', `${format}-${name}.json`);
    const model = await base();
    const { method, parameters } = await loadAdapter(join(oracleFolder, 'formats', `${format}-${name}`), model);
    const predictor = await createPredictor({
      model,
      method,
      objective: { type: 'classification', labels },
      parameters,
      seed: 1,
      device: 'cpu',
    });
    for (const batch of batches)
      expect(
        largestDifference(await predictor.predict(toBatch(batch)), logits[batch.name] ?? []),
        batch.name,
      ).toBeLessThan(1e-5);
    await predictor.dispose();
  });

  it('writes LoRA as peft does', async () => {
    const theirs = join(oracleFolder, 'formats', `peft-lora-${name}`);
    const model = await base();
    const { method, parameters } = await loadAdapter(theirs, model);
    const ours = join(scratch, `peft-${name}`);
    await exportPeft({ model, method, labels, parameters, maxLength: 64 }, ours);
    expect((await readSafetensors(join(ours, 'adapter_model.safetensors'))).tensors).toEqual(
      (await readSafetensors(join(theirs, 'adapter_model.safetensors'))).tensors,
    );
    const [written, expected] = [
      await json(join(ours, 'adapter_config.json')),
      await json(join(theirs, 'adapter_config.json')),
    ];
    for (const key of [
      'peft_type',
      'task_type',
      'r',
      'lora_alpha',
      'lora_dropout',
      'bias',
      'fan_in_fan_out',
      'modules_to_save',
      'use_rslora',
      'use_dora',
      'rank_pattern',
      'alpha_pattern',
    ])
      expect(written[key], key).toEqual(expected[key]);
    expect(Object.keys(expected)).toEqual(expect.arrayContaining(Object.keys(written))); // peft refuses keys that it does not know
    expect((await loadAdapter(ours, model)).labels).toEqual(labels);
  });

  it.each(adapterHubFolders(name))('writes %s as AdapterHub does', async (format) => {
    const theirs = join(oracleFolder, 'formats', `${format}-${name}`);
    const model = await base();
    const { method, parameters } = await loadAdapter(theirs, model);
    const ours = join(scratch, `${format}-${name}`);
    await exportAdapterHub({ model, method, labels, parameters, maxLength: 64 }, ours);
    for (const file of ['adapter.safetensors', 'model_head.safetensors'])
      expect((await readSafetensors(join(ours, file))).tensors).toEqual(
        (await readSafetensors(join(theirs, file))).tensors,
      );
    for (const file of ['adapter_config.json', 'head_config.json']) {
      const { model_name: _folder, label2id: _labels, ...expected } = await json(join(theirs, file));
      expect(await json(join(ours, file)), file).toMatchObject(expected);
    }
  });

  it('does not unpickle', async () => {
    await expect(
      loadAdapter(join(oracleFolder, 'formats', `adapterhub-houlsby-${name}`), await base()),
    ).rejects.toThrow(/pickled/);
  });
});
