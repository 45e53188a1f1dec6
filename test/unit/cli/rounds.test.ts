/** `peft-studio pretrain` and `refine` end to end: a model from text, trained on more text, then refined by a task. Every process real. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildCommand, removeCommand, runCommand, type Ended } from '../../helpers/command.js';
import { tinyRows } from '../../helpers/tiny-model.js';

let folder: string;
const at = (name: string) => join(folder, name);
const command = (words: readonly string[], onEvent?: Parameters<typeof runCommand>[1]) =>
  runCommand([...words, '--home', at('home')], onEvent);
const named = ({ events }: Ended, name: string) => events.find(({ event }) => event === name);
async function works(words: readonly string[]): Promise<Ended> {
  const ended = await command(words);
  expect(ended.code, JSON.stringify(ended.events.at(-1)) + ended.stderr).toBe(0);
  return ended;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'command-rounds-'));
  const rows = tinyRows(400);
  await Promise.all([
    buildCommand(),
    writeFile(at('text.txt'), rows.map(({ text }) => `${text}.\n\n`).join('')),
    writeFile(
      at('lines.txt'),
      rows
        .slice(0, 120)
        .map(({ text }) => `${text}\n`)
        .join(''),
    ),
    writeFile(
      at('rows.csv'),
      ['text,topic', ...rows.slice(0, 120).map(({ text, label }) => `"${text}",${label}`)].join('\n'),
    ),
    writeFile(
      at('texts.json'),
      JSON.stringify({
        model: 'small',
        data: 'texts',
        method: { type: 'full' },
        training: { maxSteps: 10, batchSize: 8, maxLength: 32 },
        device: 'cpu',
      }),
    ),
  ]);
}, 60_000);
afterAll(async () => {
  await removeCommand();
  await rm(folder, { recursive: true, force: true });
});

it('makes a model from text, trains it on texts, and refines that by a task', { timeout: 240_000 }, async () => {
  const small = [
    '--layers',
    '1',
    '--hidden',
    '32',
    '--heads',
    '2',
    '--vocabulary',
    '150',
    '--max-length',
    '32',
    '--max-steps',
    '20',
  ];
  const made = await works(['pretrain', at('text.txt'), '--out', at('small'), ...small]);
  expect(named(made, 'pretrained')).toMatchObject({ name: 'small', steps: 20 });
  const split = ['--validation', '20%', '--test', '25%'];
  await works(['data', 'add', at('lines.txt'), '--name', 'texts', '--task', 'generation', ...split]);
  await works(['data', 'add', at('rows.csv'), '--name', 'rows', '--text', 'text', '--label', 'topic', ...split]);
  const first = named(await works(['run', at('texts.json')]), 'result');
  expect(first?.['test']).toMatchObject({ maskedAccuracy: expect.any(Number) as number });
  const id = String(first?.['run']);

  const check = await works(['refine', id, '--method', 'lora', '--data', 'rows', '--check']);
  expect(check.events.at(-1)).toMatchObject({ event: 'refinement', how: 'merge' });
  const second = await works([
    'refine',
    id,
    '--method',
    '{"type":"lora","rank":2}',
    '--data',
    'rows',
    '--max-steps',
    '8',
  ]);
  expect(named(second, 'round')).toMatchObject({
    refines: Number(id),
    how: 'merge',
    test: null,
    reason: 'on other data',
  });
  const on = String(named(second, 'result')?.['run']);
  const third = await works(['refine', on, '--method', 'bitfit', '--max-steps', '8', '--learning-rate', '0.01']);
  expect(named(third, 'round')).toMatchObject({ refines: Number(on), test: { measure: 'macro F1', unit: 'points' } });
  const refused = await command(['refine', on, '--method', 'prefix', '--by', 'continue', '--check']);
  expect(refused.code).toBe(1);
  expect(refused.events.at(-1)).toMatchObject({
    event: 'error',
    message: expect.stringContaining('no use for the values') as string,
  });
});

it('refuses sizes that do not fit, naming them', async () => {
  const wrong = await command(['pretrain', at('text.txt'), '--out', at('none'), '--hidden', '8']);
  expect(wrong.events.at(-1)).toMatchObject({
    event: 'error',
    message: expect.stringContaining('hiddenSize') as string,
  });
  const heads = await command(['pretrain', at('text.txt'), '--out', at('none'), '--hidden', '32', '--heads', '5']);
  expect(heads.events.at(-1)).toMatchObject({ event: 'error', hint: expect.stringContaining('1, 2, 4') as string });
});
