/** What users bring by mistake, through the whole command: each refusal names the file, field or limit, says what to do, and leaves nothing behind. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runCommandLine } from '../../../electron/cli/cli.js';
import { forkTrainerFrom } from '../../../electron/cli/trainer-process.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';
import { bundledTrainer, removeBundles } from '../../helpers/trainer-process.js';

let folder: string;
let program: string;
const at = (...names: string[]) => join(folder, ...names);
const eventSchema = z.looseObject({ event: z.string() });

async function command(words: readonly string[]) {
  let stdout = '';
  const code = await runCommandLine([...words, '--json', '--home', at('home')], {
    streams: { stdout: (text) => void (stdout += text), stderr: () => undefined, terminal: false },
    spawnTrainer: forkTrainerFrom(program),
    interrupted: new AbortController().signal,
  });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { code, events: lines.map((line) => eventSchema.parse(JSON.parse(line))) };
}

async function expectRefusal(words: readonly string[], message: RegExp, hint: RegExp): Promise<void> {
  const { code, events } = await command(words);
  expect(code).toBe(1);
  const last = events.at(-1);
  expect(last).toEqual({ event: 'error', message: expect.stringMatching(message), hint: expect.stringMatching(hint) });
  // The remedy of a fault of the app is no remedy for a fault of the input.
  expect(String(last?.['hint'])).not.toContain('fault in the app');
}

const lines = (row: (index: number) => string, count = 40) =>
  Array.from({ length: count }, (_, index) => row(index)).join('\n');
const twoClasses = (index: number) => `sentence ${index},${index % 2 ? 'yes' : 'no'}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bad-input-'));
  program = await bundledTrainer();
  await makeTinyModel(at('tiny'));
  await writeFile(
    at('rows.csv'),
    `text,label\n${tinyRows(60)
      .map(({ text, label }) => `${text},${label}`)
      .join('\n')}\n`,
  );
  expect(await command(['model', 'add', at('tiny'), '--name', 'tiny'])).toMatchObject({ code: 0 });
  expect(
    await command(['data', 'add', at('rows.csv'), '--name', 'rows', '--text', 'text', '--label', 'label']),
  ).toMatchObject({ code: 0 });
}, 60_000);
afterAll(async () => {
  await Promise.all([removeBundles(), rm(folder, { recursive: true, force: true })]);
});

/** The bytes of model.safetensors with its header replaced. */
async function withHeader(
  place: string,
  change: (header: Record<string, { shape: number[]; data_offsets: number[] }>) => void,
) {
  const file = join(place, 'model.safetensors');
  const bytes = await readFile(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Parameters<typeof change>[0];
  change(header);
  const json = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  await writeFile(file, Buffer.concat([size, json, bytes.subarray(8 + length)]));
}
const embeddings = 'embeddings.word_embeddings.weight';
const truncate = async (place: string, bytes: number) => {
  const file = join(place, 'model.safetensors');
  await writeFile(file, (await readFile(file)).subarray(0, bytes));
};
/** Shards by an index in which every tensor is in `shard`. */
async function withIndex(place: string, shard: string): Promise<void> {
  const names: string[] = [];
  await withHeader(place, (header) => names.push(...Object.keys(header).filter((name) => name !== '__metadata__')));
  await rm(join(place, 'model.safetensors'));
  await writeFile(
    join(place, 'model.safetensors.index.json'),
    JSON.stringify({ weight_map: Object.fromEntries(names.map((name) => [name, shard])) }),
  );
}

describe('a model folder', () => {
  it.each<[string, (place: string) => Promise<unknown>, RegExp, RegExp]>([
    [
      'header cut off',
      (place) => truncate(place, 100),
      /model\.safetensors: its header claims \d+ bytes, but the file has 100/,
      /Download/,
    ],
    [
      'weights cut off',
      (place) => truncate(place, 50_000),
      /model\.safetensors: .* claims bytes up to \d+, but the file has \d+/,
      /Download/,
    ],
    ['empty weights', (place) => truncate(place, 0), /model\.safetensors: the file is empty/, /Download/],
    [
      'a header of 2^60 bytes',
      (place) => {
        const bytes = Buffer.alloc(16);
        bytes.writeBigUInt64LE(1n << 60n);
        return writeFile(join(place, 'model.safetensors'), bytes);
      },
      /model\.safetensors: its header claims 1152921504606846976 bytes; at most 100000000/,
      /Choose another/,
    ],
    [
      'offsets beyond the file',
      (place) => withHeader(place, (header) => void (header[embeddings]!.data_offsets = [0, 1e12])),
      /word_embeddings\.weight" claims bytes up to 1000000000000/,
      /Download/,
    ],
    [
      'a shape that its bytes do not fill',
      (place) => withHeader(place, (header) => void (header[embeddings]!.shape = [1e9, 1e9])),
      /word_embeddings\.weight" of shape \[1000000000, 1000000000\]/,
      /Download/,
    ],
    [
      'an index that points outside',
      (place) => withIndex(place, '../tiny/model.safetensors'),
      /index\.json: it points to "\.\.\/tiny/,
      /trust/,
    ],
    [
      'an index that points to a place of the system',
      (place) => withIndex(place, '/etc/passwd'),
      /index\.json: it points to "\/etc\/passwd"/,
      /trust/,
    ],
    [
      'an index whose shard is a link to something else',
      async (place) => {
        await withIndex(place, 'shard.safetensors');
        await symlink('/etc/passwd', join(place, 'shard.safetensors'));
      },
      /shard\.safetensors: its header claims/,
      /no safetensors file/,
    ],
    [
      'a pickle',
      async (place) => {
        await rm(join(place, 'model.safetensors'));
        await writeFile(join(place, 'pytorch_model.bin'), Buffer.from('80027d71002e', 'hex'));
      },
      /pytorch_model\.bin: the folder holds pickled weights only/,
      /safe_serialization=True/,
    ],
    [
      'an unknown architecture',
      (place) => writeFile(join(place, 'config.json'), JSON.stringify({ model_type: 'clockwork' })),
      /model_type "clockwork" is not supported/,
      /bert, /,
    ],
    [
      'a tokenizer of another model',
      async (place) => {
        await rm(join(place, 'tokenizer.json'));
        await writeFile(
          join(place, 'vocab.txt'),
          `[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n${lines((index) => `word${index}`, 500)}`,
        );
      },
      /vocab\.txt\) has 505 tokens, but the model's vocabulary has 130/,
      /tokenizer files of this very model/,
    ],
    ['no model at all', (place) => rm(place, { recursive: true }), /config\.json/, /Hugging Face model folder/],
  ])('with %s', async (name, damage, message, hint) => {
    const place = at(name.replaceAll(/\W/g, '-'));
    await cp(at('tiny'), place, { recursive: true });
    await damage(place);
    await expectRefusal(['model', 'add', place], message, hint);
    const { events } = await command(['model', 'list']);
    expect(events.map(({ name: known }) => known)).toEqual(['Starter', 'tiny']);
  });
});

describe('a data file', () => {
  const binary = Buffer.concat([Buffer.from('text,label\n'), Buffer.alloc(400, 7), Buffer.alloc(8)]);
  const huge = 'x'.repeat(50_000_000);
  it.each<[string, string | Buffer, RegExp, RegExp]>([
    ['empty.csv', '', /empty\.csv is empty/, /holds rows/],
    ['names-only.csv', 'text,label\n', /names-only\.csv holds no rows/, /holds rows/],
    ['binary.csv', binary, /binary\.csv is a binary file/, /CSV/],
    [
      'picture.csv',
      Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
      /picture\.csv is a PNG image/,
      /file of rows/,
    ],
    [
      'one-class.csv',
      `text,label\n${lines((index) => `sentence ${index},same`)}`,
      /all 40 rows have the same label, "same"/,
      /two or more classes/,
    ],
    [
      'no-labels.csv',
      `text,topic\n${lines(twoClasses)}`,
      /no column "label"\. Its columns are: "text", "topic"/,
      /Choose one of the columns/,
    ],
    [
      'label-missing.csv',
      `text,label\n${lines((index) => (index === 17 ? 'sentence,' : twoClasses(index)))}`,
      /label-missing\.csv, line 19: the label is missing/,
      /leave bad rows out/,
    ],
    [
      'label-missing.jsonl',
      lines((index) => JSON.stringify(index === 9 ? { text: 'a' } : { text: `a ${index}`, label: index % 2 })),
      /label-missing\.jsonl, line 10: the label is missing/,
      /leave bad rows out/,
    ],
    [
      'long.csv',
      `text,label\n${lines(twoClasses)}\n"${huge}",yes\n`,
      /long\.csv, line 42: cell 1 is longer than the limit of 1 MiB a cell/,
      /leave bad rows out/,
    ],
    [
      'long.jsonl',
      `${JSON.stringify({ text: huge, label: 'yes' })}\n${JSON.stringify({ text: 'a', label: 'no' })}\n`,
      /long\.jsonl, line 1: the row is longer than the limit of 8 MiB/,
      /leave bad rows out/,
    ],
  ])('%s', { timeout: 60_000 }, async (name, content, message, hint) => {
    await writeFile(at(name), content);
    await expectRefusal(['data', 'add', at(name), '--name', name, '--text', 'text', '--label', 'label'], message, hint);
    const { events } = await command(['data', 'list']);
    expect(events.map(({ name: known }) => known)).toEqual(['rows']);
    await rm(at(name));
  });

  it('one column cannot be text and label', async () => {
    const words = ['data', 'add', at('rows.csv'), '--name', 'twice', '--text', 'label', '--label', 'label'];
    await expectRefusal(words, /column "label" is chosen as text and as label/, /of its own/);
  });

  it('with a cell of 50 MB to be answered: the row is told, not passed over', { timeout: 60_000 }, async () => {
    await writeFile(
      at('plan.json'),
      JSON.stringify({
        model: 'tiny',
        data: 'rows',
        method: { type: 'head' },
        training: { maxSteps: 0, maxLength: 16 },
      }),
    );
    expect(await command(['run', at('plan.json')])).toMatchObject({ code: 0 });
    await writeFile(at('long.csv'), `text\nshort\n"${huge}"\nlast\n`);
    let stderr = '';
    const code = await runCommandLine(
      ['predict', '1', '--file', at('long.csv'), '--text-column', 'text', '--home', at('home')],
      {
        streams: { stdout: () => undefined, stderr: (text) => void (stderr += text), terminal: false },
        spawnTrainer: forkTrainerFrom(program),
        interrupted: new AbortController().signal,
      },
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/1 row has no answer, .* line 3: cell 1 is longer than the limit of 1 MiB/);
  });
});

describe('a number out of range', () => {
  it.each<[string, object, RegExp, RegExp]>([
    ['training', { batchSize: 0 }, /^training\.batchSize: /, /from 1 to 4096/],
    ['training', { seed: 1e20 }, /^training\.seed: /, /from 0 to 4294967295/],
    ['training', { maxSteps: 1.5 }, /^training\.maxSteps: /, /a whole number from 0/],
    ['training', { learningRate: -1 }, /^training\.learningRate: /, /above 0 and of at most 10/],
    [
      'training',
      { classWeights: 'heavy' },
      /^training\.classWeights: /,
      /"balanced", or an object in which each value is a number above 0/,
    ],
    ['training', { classWeights: { animal: -1 } }, /^training\.classWeights\.animal: /, /a number above 0/],
    ['training', { classWeights: { animal: 1 }, maxLength: 16 }, /lacks the label "food"/, /each label/],
    ['training', { maxLength: 65 }, /^training\.maxLength: tiny takes at most 64/, /64 or less/],
    ['method', { type: 'lora', rank: 0 }, /^method\.rank: /, /from 1 to 1024/],
    ['method', { type: 'lora', dropout: 1 }, /^method\.dropout: /, /from 0 to 0\.9/],
    ['method', { type: 'bottleneck', placement: 'above' }, /^method\.placement: /, /"houlsby", "pfeiffer"/],
  ])('in %s %j', async (key, value, message, hint) => {
    const plan = { model: 'tiny', data: 'rows', method: { type: 'lora' }, training: { maxLength: 16 }, [key]: value };
    await writeFile(at('out-of-range.json'), JSON.stringify(plan));
    await expectRefusal(['run', at('out-of-range.json')], message, hint);
  });

  it.each<[string[], RegExp]>([
    [['--seed', '-1'], /--seed -1: must be a whole number from 0 to 4294967295/],
    [['--validation', '1.5'], /--validation: .*0\.9/],
    [['--validation', '-0.1'], /--validation: .*0/],
    [['--test', '0.5', '--validation', '0.5'], /take 100 % of the rows; at least 10 %/],
  ])('of data add %j', async (words, message) => {
    const { events } = await command([
      'data',
      'add',
      at('rows.csv'),
      '--name',
      'n',
      '--text',
      'text',
      '--label',
      'label',
      ...words,
    ]);
    expect(events).toMatchObject([{ event: 'error', message: expect.stringMatching(message) as string }]);
  });
});

it('a plan that is none is named', async () => {
  await writeFile(at('picture.json'), Buffer.from('89504e470d0a1a0a', 'hex'));
  await mkdir(at('folder'));
  await expectRefusal(['run', at('picture.json')], /picture\.json is not JSON/, /help/);
  await expectRefusal(['run', at('folder')], /folder: it is a folder, not a file/, /Choose a file/);
  await expectRefusal(['run', at('nothing.json')], /nothing\.json: it is not there/, /moved or deleted/);
});
