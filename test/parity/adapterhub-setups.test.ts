/** Compositions that AdapterHub's library saved: read here they give its logits, and written again they hold the same tensors and settings. */
import { readdirSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openModel, readSafetensors } from '../../electron/engine/index.js';
import { exportFolder, loadAdapter } from '../../electron/interchange/index.js';
import { expectLogits, logitsSchema, namedBatchesSchema, readObject } from '../helpers/folders.js';
import { oracleFolder, oracleJson } from '../helpers/oracle.js';

const cases = readdirSync(join(oracleFolder, 'formats'))
  .filter((name) => name.startsWith('setup-') && name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length));

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'setups-'));
});
afterAll(() => rm(scratch, { recursive: true }));

it('has both blocks', () => expect(cases).toHaveLength(4));

describe.each(cases)('%s', (name) => {
  const { model: base, logits } = oracleJson(logitsSchema.extend({ model: z.string() }), 'formats', `${name}.json`);
  const { labels } = oracleJson(namedBatchesSchema, 'models', `${base}.json`);
  const theirs = join(oracleFolder, 'formats', name);
  const open = () => openModel(join(oracleFolder, 'models', base));
  const fuses = name.includes('fuse');

  it('gives the library’s logits', async () => {
    const model = await open();
    const { kind, method, parameters } = await loadAdapter(theirs, model);
    expect([kind, method.type]).toEqual(['adapterhub', fuses ? 'fusion' : 'stack']);
    await expectLogits({ model, base, method, parameters, labels }, logits, 1e-5);
  });

  it('is written as the library does, and read back', async () => {
    const model = await open();
    const { method, parameters } = await loadAdapter(theirs, model);
    const ours = join(scratch, name);
    await exportFolder('adapterhub', { model, method, labels, parameters, maxLength: 64 }, ours);
    const ourName = (path: string) => path.replaceAll('first', 'part1').replaceAll('second', 'part2');
    const files = [
      'first/adapter',
      'second/adapter',
      'model_head',
      ...(fuses ? ['first,second/model_adapter_fusion'] : []),
    ];
    for (const file of files) {
      const { tensors } = await readSafetensors(join(theirs, `${file}.safetensors`));
      const expected = new Map([...tensors].map(([key, tensor]) => [ourName(key), tensor]));
      expect((await readSafetensors(join(ours, `${ourName(file)}.safetensors`))).tensors, file).toEqual(expected);
    }
    const configs = [
      'adapter_setup.json',
      'first/adapter_config.json',
      'head_config.json',
      ...(fuses ? ['first,second/adapter_fusion_config.json'] : []),
    ];
    for (const file of configs) {
      const { model_name: _folder, label2id: _labels, ...expected } = await readObject(join(theirs, file));
      const renamed: unknown = JSON.parse(ourName(JSON.stringify(expected)));
      expect(await readObject(join(ours, ourName(file))), file).toMatchObject(renamed as object);
    }
    const again = await loadAdapter(ours, model);
    expect(again.labels).toEqual(labels);
    expect(again.parameters).toEqual(parameters);
    await expectLogits({ model, base, method: again.method, parameters: again.parameters, labels }, logits, 1e-5);
    expect(await readFile(join(ours, 'README.md'), 'utf8')).toContain(
      'load_adapter_setup("THIS FOLDER", set_active=True)',
    );
  });
});

describe('a composition that this program does not compute', () => {
  const theirs = join(oracleFolder, 'formats', 'setup-fuse-pfeiffer-bert');
  it.each([
    [
      'adapter_setup.json',
      '"Fuse"',
      '"Split"',
      /adapter_setup\.json: adapter_setup\.type: only Stack and Fuse are supported/,
    ],
    ['adapter_setup.json', '"first"', '"../first"', /is no name/],
    [
      'first,second/adapter_fusion_config.json',
      '"temperature": false',
      '"temperature": true',
      /temperature: only false is supported/,
    ],
    ['second/adapter_config.json', '"mh_adapter": false', '"mh_adapter": true', /neither as Houlsby/],
  ])('%s with %s as %s is refused', async (file, from, to, message) => {
    const folder = join(scratch, `bad ${to.replace(/\W/g, '')}`);
    await cp(theirs, folder, { recursive: true });
    await writeFile(join(folder, file), (await readFile(join(folder, file), 'utf8')).replace(from, to));
    await expect(loadAdapter(folder, await openModel(join(oracleFolder, 'models', 'bert')))).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringMatching(message) as string,
    });
  });
});

it.each([
  [[{ type: 'lora' }, { type: 'bottleneck' }], /LoRA is none/],
  [[1, 2].map(() => ({ type: 'bottleneck', placement: 'parallel' })), /parallel adapters otherwise/],
  [[{ type: 'bottleneck' }, { type: 'bottleneck', placement: 'houlsby' }], /adapters of one placement/],
])('a stack of %j has no folder there', async (adapters, reason) => {
  const model = await openModel(join(oracleFolder, 'models', 'bert'));
  const source = {
    model,
    method: { type: 'stack', adapters },
    labels: ['a', 'b'],
    parameters: new Map(),
    maxLength: 16,
  };
  await expect(exportFolder('adapterhub', source, join(scratch, 'none'))).rejects.toThrow(reason);
});
