/** `peft-studio generate` end to end: every process real, a tiny decoder taught one answer. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCommand, removeCommand, runCommand, type Ended } from '../../helpers/command.js';
import { makeTinyDecoder, tinyAnswer, tinyInstructions, tinyQuestion } from '../../helpers/tiny-decoder.js';

let folder: string;
const at = (name: string) => join(folder, name);
const command = (words: readonly string[], onEvent?: Parameters<typeof runCommand>[1]) =>
  runCommand([...words, '--home', at('home')], onEvent);
const last = ({ events }: Ended) => events.at(-1);
const tokens = ({ events }: Ended) => events.filter(({ event }) => event === 'token');

const lora = { type: 'lora', rank: 4, targetModules: ['q_proj', 'v_proj', 'o_proj', 'down_proj'] };
const training = { batchSize: 4, maxLength: 128, learningRate: 0.02, maxSteps: 60, exactMatchRows: 0 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'command-generate-'));
  await Promise.all([
    buildCommand(),
    makeTinyDecoder(at('tiny')),
    writeFile(at('rows.jsonl'), tinyInstructions(40)),
    writeFile(
      at('plan.json'),
      JSON.stringify({
        model: 'tiny',
        data: 'weather',
        objective: 'causal-lm',
        method: lora,
        training,
      }),
    ),
  ]);
  await writeFile(at('plain.txt'), 'The weather is fine today.\n'.repeat(40));
  const goesOn = { model: 'tiny', data: 'plain', objective: 'causal-lm', method: lora };
  await writeFile(at('goes-on.json'), JSON.stringify({ ...goesOn, training: { ...training, maxLength: 32 } }));
  const plain = ['data', 'add', at('plain.txt'), '--name', 'plain', '--task', 'generation'];
  await writeFile(at('topics.csv'), 'text,label\ngood,a\nbad,b\n');
  const sorts = { model: 'tiny', data: 'topics', method: { type: 'head' }, training: { maxSteps: 1, maxLength: 16 } };
  await writeFile(at('sorts.json'), JSON.stringify(sorts));
  const topics = ['data', 'add', at('topics.csv'), '--name', 'topics', '--text', 'text', '--label', 'label'];
  const added = ['data', 'add', at('rows.jsonl'), '--name', 'weather', '--task', 'generation'];
  const model = ['model', 'add', at('tiny'), '--name', 'tiny'];
  for (const words of [
    model,
    added,
    ['run', at('plan.json')],
    topics,
    ['run', at('sorts.json')],
    plain,
    ['run', at('goes-on.json')],
  ]) {
    const ended = await command(words);
    expect(ended.code, JSON.stringify(ended.events.at(-1)) + ended.stderr).toBe(0);
  }
}, 240_000);
afterAll(async () => {
  await removeCommand();
  await rm(folder, { recursive: true, force: true });
});

describe('generate', { timeout: 120_000 }, () => {
  it('streams what the run learned, and ends with the whole', async () => {
    const ended = await command(['generate', '1', '--prompt', tinyQuestion]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(last(ended)).toMatchObject({
      event: 'generation',
      text: tinyAnswer,
      reason: 'stop',
      loaded: 'base',
    });
    expect(last(ended)?.['tokensPerSecond']).toBeGreaterThan(0);
    expect(
      tokens(ended)
        .map(({ text }) => text)
        .join(''),
    ).toBe(tinyAnswer);
    expect(last(ended)?.['tokens']).toBe(tokens(ended).at(-1)?.['tokens']);
  });

  it('goes on from a text where the run learned plain text', async () => {
    const ended = await command(['generate', '3', '--prompt', 'The weather', '--max-new-tokens', '20']);
    expect(last(ended)).toMatchObject({ event: 'generation', text: ' is fine today.', reason: 'stop' });
    const system = await command(['generate', '3', '--prompt', 'The weather', '--system', 'Be brief.']);
    expect(last(system)).toMatchObject({ event: 'error', message: expect.stringContaining('plain text') });
  });

  it('lets the base answer, which says something else', async () => {
    const ended = await command(['generate', '1', '--prompt', tinyQuestion, '--base', '--max-new-tokens', '8']);
    expect(last(ended)).toMatchObject({ event: 'generation' });
    expect(last(ended)?.['text']).not.toBe(tinyAnswer);
  });

  it('takes a system text, stop texts, and draws by the seed', async () => {
    const stopped = await command(['generate', '1', '--prompt', tinyQuestion, '--stop', 'ne to']);
    expect(last(stopped)).toMatchObject({ text: 'It is fi', reason: 'stop' });
    const system = await command(['generate', '1', '--prompt', tinyQuestion, '--system', 'Be brief.', '--base']);
    const without = await command(['generate', '1', '--prompt', tinyQuestion, '--base']);
    expect(Number(last(system)?.['promptTokens'])).toBeGreaterThan(Number(last(without)?.['promptTokens']) + 5);
    const drawn = async (seed: string) => {
      const words = ['--base', '--temperature', '1', '--top-k', '200', '--top-p', '0.95', '--max-new-tokens', '12'];
      return last(await command(['generate', '1', '--prompt', tinyQuestion, ...words, '--seed', seed]))?.['text'];
    };
    expect(await drawn('3')).toBe(await drawn('3'));
    expect(await drawn('3')).not.toBe(await drawn('4'));
  });

  it('ends at Ctrl-C where it stands', async () => {
    // The tiny base goes on for 361 tokens here.
    const words = ['generate', '1', '--base', '--system', 'Be brief.', '--prompt', 'Who?', '--max-new-tokens', '400'];
    let sent = false;
    const ended = await command(words, ({ event }, child) => {
      if (event === 'token' && !sent) sent = child.kill('SIGINT');
    });
    expect(last(ended)).toMatchObject({ event: 'generation' });
    expect(ended.code).toBe(0);
    // The signal may come too late on a fast machine: then the answer is whole.
    const [reason, count] = [last(ended)?.['reason'], last(ended)?.['tokens']];
    expect([reason, reason === 'stopped' ? Number(count) < 361 : count]).toEqual([
      reason,
      reason === 'stopped' ? true : 361,
    ]);
    expect(
      tokens(ended)
        .map(({ text }) => text)
        .join(''),
    ).toBe(last(ended)?.['text']);
  });

  it.each([
    [['generate', '1'], /--prompt/],
    [['generate', '1', '--prompt', ' '], /--prompt is empty/],
    [['generate', '1', '--prompt', 'a', '--top-p', '2'], /--top-p 2/],
    [['generate', '9', '--prompt', 'a'], /run/i],
    [['generate', '2', '--prompt', 'a'], /Run 2 does not write/],
    [['generate', '1', '--prompt', 'word '.repeat(600)], /leave no room/],
  ])('says what is wrong (%#)', async (words, message) => {
    const ended = await command(words);
    expect(ended.code).toBe(1);
    expect(String(last(ended)?.['message'])).toMatch(message);
  });
});
