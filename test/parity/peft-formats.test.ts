/** Folders of LoRA's relatives as peft saved them: read here they give peft's logits, and written again they hold the same tensors and settings. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, describe, it } from 'vitest';
import { z } from 'zod';
import { openModel, readSafetensors } from '../../electron/engine/index.js';
import { loadAdapter } from '../../electron/interchange/load.js';
import { exportPeft } from '../../electron/interchange/peft.js';
import { expectLogits, logitsSchema, namedBatchesSchema, readObject } from '../helpers/folders.js';
import { oracleFolder, oracleJson } from '../helpers/oracle.js';

const { labels } = oracleJson(namedBatchesSchema, 'models', 'bert.json');
const recordSchema = logitsSchema.extend({ method: z.looseObject({ type: z.string() }) });
/** Keys that another machine or another order decides. */
const loose = ['base_model_name_or_path', 'target_modules', 'feedforward_modules', 'total_step'];

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'peft-formats-'));
});
afterAll(() => rm(scratch, { recursive: true }));

describe.each(['rslora', 'dora', 'pissa', 'loha', 'lokr', 'lokr-both', 'vera', 'ia3', 'adalora'])('%s', (name) => {
  const theirs = join(oracleFolder, 'formats', `peft-${name}-bert`);
  const { method: made, logits } = oracleJson(recordSchema, 'formats', `peft-${name}-bert.json`);

  it("is read and gives peft's logits", async () => {
    const model = await openModel(join(oracleFolder, 'models', 'bert'));
    const { method, parameters } = await loadAdapter(theirs, model);
    expect(method.type).toBe(made.type);
    await expectLogits({ model, base: 'bert', method, parameters, labels }, logits, 1e-4);
  });

  it('is written as peft does', async () => {
    const model = await openModel(join(oracleFolder, 'models', 'bert'));
    const { method, parameters } = await loadAdapter(theirs, model);
    const ours = join(scratch, name);
    await exportPeft({ model, method, labels, parameters, maxLength: 64 }, ours);
    expect((await readSafetensors(join(ours, 'adapter_model.safetensors'))).tensors).toEqual(
      (await readSafetensors(join(theirs, 'adapter_model.safetensors'))).tensors,
    );
    const [written, expected] = [
      await readObject(join(ours, 'adapter_config.json')),
      await readObject(join(theirs, 'adapter_config.json')),
    ];
    for (const key of Object.keys(written).filter((own) => !loose.includes(own)))
      expect(written[key], key).toEqual(expected[key]);
    for (const key of ['target_modules', 'feedforward_modules'])
      expect([written[key]].flat().sort(), key).toEqual([expected[key]].flat().sort());
    expect(Object.keys(expected)).toEqual(expect.arrayContaining(Object.keys(written))); // peft refuses keys that it does not know
  });
});
