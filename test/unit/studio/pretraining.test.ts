/** A new encoder from text, over the real trainer process: made, cut off and gone on with, opened and trained on. */
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pretrainedSchema, pretrainingSchema, type Pretraining } from '../../../electron/contract/pretraining.js';
import { openTokenizer } from '../../../electron/data/index.js';
import { openModel, readSafetensors } from '../../../electron/engine/index.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let studio: TestStudio;
let text = '';
const settings = (more: Partial<Pretraining> = {}) =>
  pretrainingSchema.parse({
    layers: 1,
    hiddenSize: 32,
    heads: 2,
    vocabularySize: 150,
    maxLength: 32,
    tokensPerStep: 256,
    maxSteps: 60,
    learningRate: 0.005,
    ...more,
  });

beforeAll(async () => {
  studio = await openTestStudio();
  text = join(studio.home, 'text.txt');
  await writeFile(
    text,
    tinyRows(600)
      .map((row) => `${row.text}.\n\n`)
      .join(''),
  );
});
afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

const make = (name: string, more: Partial<Pretraining> = {}, texts = [text]) =>
  studio.handlers['models.pretrain']({ texts, folder: join(studio.home, name), name, settings: settings(more) });

it('makes a folder that learned, and adds it as a base model', async () => {
  const untrained = await studio.finished(await make('untrained', { maxSteps: 1, learningRate: 1e-9 }));
  const job = await studio.finished(await make('small'));
  const made = pretrainedSchema.loose().parse(job.result);
  expect(made.steps).toBe(60);
  expect(made.heldOutLoss).toBeLessThan(pretrainedSchema.loose().parse(untrained.result).heldOutLoss - 0.5);
  const folder = join(studio.home, 'small');
  expect((await readdir(folder)).sort()).toEqual([
    'README.md',
    'config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
    'vocab.txt',
  ]);
  expect(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))).toMatchObject({
    model_type: 'bert',
    hidden_size: 32,
    vocab_size: made.vocabularySize,
  });
  expect(await readFile(join(folder, 'README.md'), 'utf8')).toContain(made.heldOutLoss.toFixed(3));
  expect((await studio.handlers['models.list']({})).find(({ name }) => name === 'small')).toMatchObject({
    layers: 1,
    hiddenSize: 32,
  });
  const model = await openModel(folder);
  const tokenizer = await openTokenizer(folder, model);
  expect(await tokenizer.text(await tokenizer.ids('the hammer', false))).toContain('hammer');
}, 120_000);

it('goes on after kill -9 to the same weights, and says when it was begun with other settings', async () => {
  const { jobId } = await make('cut', { maxSteps: 120 });
  await studio.waitFor('job', ({ id, done, total }) => id === jobId && total !== null && done > 30);
  // Cancelled it saves; killed it would go on from the last minute's checkpoint or the start.
  await studio.handlers['jobs.cancel']({ jobId });
  await expect(studio.finished({ jobId })).rejects.toMatchObject({ code: 'cancelled' });
  // Vocabularies of equally frequent tokens differ between two makings: the uncut one begins with the same.
  const [from, to] = ['cut', 'whole'].map((name) => join(studio.home, `.${name}.pretraining`)) as [string, string];
  await cp(from, to, { recursive: true });
  await rm(join(to, 'checkpoint.safetensors'));
  const whole = await studio.finished(await make('whole', { maxSteps: 120 }));
  await expect(studio.finished(await make('cut', { maxSteps: 120, layers: 2 }))).rejects.toThrow(
    /begun with layers 1, not 2/,
  );
  const second = await make('cut', { maxSteps: 120 });
  const going = await studio.waitFor('job', ({ id, total }) => id === second.jobId && total !== null);
  expect(going.done).toBeGreaterThan(30);
  process.kill(studio.pids.at(-1) ?? 0, 'SIGKILL');
  await expect(studio.finished(second)).rejects.toMatchObject({ code: 'trainer-lost' });
  const last = await studio.finished(await make('cut', { maxSteps: 120 }));
  const lossOf = (job: typeof last) => pretrainedSchema.loose().parse(job.result).heldOutLoss;
  expect(lossOf(last)).toBe(lossOf(whole));
  const weights = async (name: string) => (await readSafetensors(join(studio.home, name, 'model.safetensors'))).tensors;
  const [one, other] = [await weights('whole'), await weights('cut')];
  for (const [name, { data }] of one) expect(other.get(name)?.data, name).toEqual(data);
}, 240_000);

it.each([['heads', { heads: 3 }, /3 heads do not share a width of 32 equally/]])(
  'refuses %s',
  async (_key, more, reason) => {
    await expect(make('none', more)).rejects.toThrow(reason);
  },
);

it('refuses what is no text, or too little', async () => {
  const few = join(studio.home, 'few.txt');
  await writeFile(few, 'One sentence. Another one.');
  await expect(studio.finished(await make('none', {}, [few]))).rejects.toThrow(/1 pieces of a few sentences/);
  const binary = join(studio.home, 'binary.txt');
  await writeFile(binary, Buffer.from([0, 1, 2, 0, 255]));
  await expect(studio.finished(await make('none', {}, [binary]))).rejects.toThrow(/is not a text file/);
  await expect(make('none', {}, [join(studio.home, 'missing.txt')])).rejects.toThrow(/missing\.txt/);
});
