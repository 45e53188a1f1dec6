/** Folders that peft and AdapterHub saved: read here they give the libraries' logits, and written again they hold the same tensors and settings. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModel, readSafetensors } from '../../electron/engine/index.js';
import { exportAdapterHub } from '../../electron/interchange/adapterhub.js';
import { loadAdapter } from '../../electron/interchange/load.js';
import { exportPeft } from '../../electron/interchange/peft.js';
import { expectLogits, logitsSchema, namedBatchesSchema, readObject } from '../helpers/folders.js';
import { oracleFolder, oracleJson } from '../helpers/oracle.js';

const models = ['bert', 'roberta', 'distilbert'] as const;

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
  const { labels } = oracleJson(namedBatchesSchema, 'models', `${name}.json`);
  const base = () => openModel(join(oracleFolder, 'models', name));

  it.each(['peft-lora', ...adapterHubFolders(name)])('reads %s and gives its logits', async (format) => {
    const { logits } = oracleJson(logitsSchema, 'formats', `${format}-${name}.json`);
    const model = await base();
    const { method, parameters } = await loadAdapter(join(oracleFolder, 'formats', `${format}-${name}`), model);
    await expectLogits({ model, base: name, method, parameters, labels }, logits, 1e-5);
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
      await readObject(join(ours, 'adapter_config.json')),
      await readObject(join(theirs, 'adapter_config.json')),
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
      const { model_name: _folder, label2id: _labels, ...expected } = await readObject(join(theirs, file));
      expect(await readObject(join(ours, file)), file).toMatchObject(expected);
    }
  });

  it('does not unpickle', async () => {
    await expect(
      loadAdapter(join(oracleFolder, 'formats', `adapterhub-houlsby-${name}`), await base()),
    ).rejects.toThrow(/pickled/);
  });
});
