/** Soft prompts and prefixes in peft's folders: read they give peft's logits, and what a run keeps is written as peft writes it. */
import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTrainer, openModel, readSafetensors } from '../../electron/engine/index.js';
import { loadAdapter } from '../../electron/interchange/load.js';
import { exportPeft } from '../../electron/interchange/peft.js';
import { expectLogits, logitsSchema, readObject } from '../helpers/folders.js';
import { below, largestDifference, oracleFolder, oracleJson, oracleTensors } from '../helpers/oracle.js';

const recipeSchema = z.object({
  model: z.string(),
  labels: z.array(z.string()),
  method: z.looseObject({ type: z.string() }),
});

const names = readdirSync(join(oracleFolder, 'formats'))
  .filter((file) => /^peft-(prefix|prompt|p-tuning)-.*\.json$/.test(file))
  .map((file) => file.slice('peft-'.length, -'.json'.length));

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'prompts-'));
});
afterAll(() => rm(scratch, { recursive: true }));

describe.each(names)('%s', (name) => {
  const { model: base, labels, method } = oracleJson(recipeSchema, 'training', `${name}.json`);
  const theirs = join(oracleFolder, 'formats', `peft-${name}`);
  const open = () => openModel(join(oracleFolder, 'models', base));
  const where = { seed: 1, device: 'cpu' } as const;

  it('gives the logits of peft when its folder is read', async () => {
    const { logits } = oracleJson(logitsSchema, 'formats', `peft-${name}.json`);
    const model = await open();
    const { method: read, parameters } = await loadAdapter(theirs, model);
    await expectLogits({ model, base, method: read, parameters, labels }, logits, 1e-5);
  });

  it('keeps of a run what peft saves, and writes it as peft does', async () => {
    const model = await open();
    const trainer = await createTrainer({
      model,
      method,
      objective: { type: 'classification', labels },
      optimizer: { type: 'adamw', weightDecay: 0, gradientClip: null },
      modelDropout: 0,
      initial: below(oracleTensors('training', `${name}.safetensors`), 'final.'),
      ...where,
    });
    const parameters = await trainer.result();
    await trainer.dispose();
    const ours = join(scratch, name);
    await exportPeft({ model, method, labels, parameters, maxLength: 40 }, ours);
    const [written, expected] = [ours, theirs].map((folder) =>
      readSafetensors(join(folder, 'adapter_model.safetensors')),
    );
    const tensors = (await expected)?.tensors ?? new Map();
    expect([...((await written)?.tensors.keys() ?? [])].sort()).toEqual([...tensors.keys()].sort());
    for (const [key, { shape, data }] of (await written)?.tensors ?? []) {
      expect(shape, key).toEqual(tensors.get(key)?.shape);
      expect(largestDifference(data, tensors.get(key)?.data ?? []), key).toBeLessThan(1e-5);
    }
    const [config, like] = [
      await readObject(join(ours, 'adapter_config.json')),
      await readObject(join(theirs, 'adapter_config.json')),
    ];
    const { base_model_name_or_path: _base, peft_version: _version, modules_to_save: _saved, ...settings } = like;
    // How peft's prompts began is not in the recipe.
    const { prompt_tuning_init: _start, ...same } = settings;
    expect(config).toMatchObject(same);
    expect(Object.keys(like)).toEqual(expect.arrayContaining(Object.keys(config)));
    expect((await loadAdapter(ours, model)).labels).toEqual(labels);
    const card = await readFile(join(ours, 'README.md'), 'utf8');
    expect(card.includes('past_key_values')).toBe(config['peft_type'] === 'PREFIX_TUNING');
  });
});

it('does not write a prefix that peft could not run', async () => {
  const model = await openModel(join(oracleFolder, 'models', 'distilbert'));
  const source = { model, method: { type: 'prefix' }, labels: ['a', 'b'], parameters: new Map(), maxLength: 40 };
  await expect(exportPeft(source, join(scratch, 'refused'))).rejects.toThrow(/no prefix tuning for distilbert/);
});
