/** `take-further` and `take-back` as a user calls them: every process real, the model tiny, what Python would write written from a run here. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { scoresSchema } from '../../../electron/contract/entities.js';
import { buildCommand, removeCommand, runCommand, type Ended } from '../../helpers/command.js';
import { writeResult } from '../../helpers/further.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';

let folder: string;
const at = (...name: string[]) => join(folder, ...name);
const plan = {
  model: 'tiny',
  data: 'rows',
  method: { type: 'lora', rank: 4, targetModules: ['query', 'value'] },
  training: { maxSteps: 4, batchSize: 8, maxLength: 24, learningRate: 0.01 },
  device: 'cpu',
};
const command = (...words: readonly string[]) => runCommand([...words, '--home', at('home')]);
async function works(...words: readonly string[]): Promise<Ended> {
  const ended = await command(...words);
  expect(ended.code, JSON.stringify(ended.events.at(-1)) + ended.stderr).toBe(0);
  return ended;
}
/** The command's last word, which is an error. */
async function refused(...words: readonly string[]): Promise<string> {
  const ended = await command(...words);
  expect(ended.code).toBe(1);
  const { event, message, hint } = ended.events.at(-1) ?? { event: '' };
  expect(event).toBe('error');
  return `${String(message)} ${String(hint)}`;
}
const writePlan = (name: string, change: object) => writeFile(at(name), JSON.stringify({ ...plan, ...change }));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'command-further-'));
  const rows = tinyRows(80).map(({ text, label }) => `${text},${label}`);
  await Promise.all([
    buildCommand(),
    makeTinyModel(at('tiny'), { dropout: 0 }),
    writeFile(at('rows.csv'), ['text,label', ...rows].join('\n')),
    writePlan('plan.json', {}),
    writePlan('wrong.json', { training: { ...plan.training, epochs: -1 } }),
    writePlan('bottleneck.json', { method: { type: 'bottleneck' } }),
  ]);
  await works('model', 'add', at('tiny'), '--name', 'tiny');
  const split = ['--validation', '0.2', '--test', '0.25', '--seed', '1'];
  await works('data', 'add', at('rows.csv'), '--name', 'rows', '--text', 'text', '--label', 'label', ...split);
}, 120_000);
afterAll(async () => {
  await removeCommand();
  await rm(folder, { recursive: true, force: true });
});

it('takes a plan further and its result back, and says why not otherwise', { timeout: 240_000 }, async () => {
  const result = (await works('run', at('plan.json'))).events.find(({ event }) => event === 'result');
  const run = String(result?.['run']);

  const taken = await works('take-further', at('plan.json'), '--to', at('further'));
  expect(taken.events).toEqual([{ event: 'take-further', folder: at('further'), bytes: expect.any(Number) as number }]);
  expect(await readdir(at('further'))).toEqual(
    expect.arrayContaining(['README.md', 'data', 'model', 'plan.json', 'requirements.txt', 'setup.json', 'train.py']),
  );
  // A run by its number; without the base model the project is smaller.
  const light = await works('take-further', run, '--to', at('light'), '--without-model');
  expect(await readdir(at('light'))).not.toContain('model');
  expect(z.number().parse(light.events[0]?.['bytes'])).toBeLessThan(z.number().parse(taken.events[0]?.['bytes']));
  expect(JSON.parse(await readFile(at('light', 'plan.json'), 'utf8'))).toEqual(
    JSON.parse(await readFile(at('further', 'plan.json'), 'utf8')),
  );

  expect(await refused('take-further', at('plan.json'), '--to', at('further'))).toContain('is not empty');
  expect(await refused('take-further', at('wrong.json'), '--to', at('none'))).toContain('training.epochs');
  expect(await refused('take-further', at('bottleneck.json'), '--to', at('none'))).toContain('peft does not have it');
  expect(await refused('take-further', '99', '--to', at('none'))).toContain('no run 99');
  expect(await readdir(folder)).not.toContain('none');

  // What Python would write, from what the run here answers.
  const out = at('further', 'result');
  expect(await refused('take-back', at('further'))).toContain('result.json is not there');
  await mkdir(out);
  await works('export', run, '--format', 'peft', '--to', join(out, 'trained'));
  const answers = await works('predict', run, '--file', at('further', 'data', 'test.jsonl'), '--text-column', 'text');
  const { labels } = z
    .object({ labels: z.array(z.string()) })
    .parse(JSON.parse(await readFile(at('further', 'setup.json'), 'utf8')));
  const predictions = answers.events
    .filter(({ event }) => event === 'prediction')
    .map((event) => z.record(z.string(), z.number()).parse(event['probabilities']));
  expect(predictions).toHaveLength(20);
  const told = await writeResult(at('further'), out, {
    logits: predictions.map((probabilities) => labels.map((label) => Math.log(probabilities[label] ?? 0))),
    test: scoresSchema.parse(result?.['test']),
    validation: null,
  });

  // By the project's folder, and once more by the result's own: it is here already.
  const back = (await works('take-back', at('further'))).events.at(-1);
  expect(back).toMatchObject({
    event: 'take-back',
    test: { macroF1: expect.closeTo(scoresSchema.parse(result?.['test']).macroF1 ?? 0, 6) as number },
    elsewhere: { device: 'cluster', processes: 2, proof: { rows: 20 } },
  });
  expect(
    z.object({ proof: z.object({ largestDifference: z.number() }) }).parse(back?.['elsewhere']).proof.largestDifference,
  ).toBeLessThan(1e-4);
  expect(await refused('take-back', out)).toContain(`as run ${String(back?.['run'])}`);

  await writeFile(join(out, 'result.json'), JSON.stringify({ ...told, bestStep: 'last' }));
  expect(await refused('take-back', at('further'))).toContain('bestStep');
});
