import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openTokenizer } from '../../../electron/data/index.js';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures');
const models = join(fixtures, 'oracle', 'models');
const caseSchema = z.object({
  text: z.string(),
  pair: z.string().nullable(),
  maxLength: z.number(),
  ids: z.array(z.number()),
  typeIds: z.array(z.number()),
});
const oracle = z
  .record(z.string(), z.array(caseSchema))
  .parse(JSON.parse(readFileSync(join(fixtures, 'data', 'tokenizer.json'), 'utf8')));

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tokenizer-'));
});
afterAll(() => rm(scratch, { recursive: true }));

async function folderOf(model: string, files: readonly string[], name: string): Promise<string> {
  const folder = join(scratch, name);
  for (const file of files) await cp(join(models, model, file), join(folder, file));
  return folder;
}

/** Opens as the fixture's script did. */
async function open(name: string): Promise<string> {
  if (name === 'bert-vocabulary') return folderOf('bert', ['vocab.txt'], name);
  if (name === 'roberta-vocabulary') return folderOf('roberta', ['vocab.json', 'merges.txt', 'config.json'], name);
  if (name === 'gpt2-vocabulary' || name === 'qwen2-vocabulary') {
    const [kind] = name.split('-');
    const folder = await folderOf(kind ?? '', ['vocab.json', 'merges.txt'], name);
    const token = (content: string) => ({ content, special: true });
    const config = {
      tokenizer_class: 'Qwen2Tokenizer',
      pad_token: '<|pad|>',
      added_tokens_decoder: { 0: token('<|endoftext|>'), 288: token('<|added|>') },
    };
    await writeFile(join(folder, 'config.json'), JSON.stringify({ model_type: kind }));
    // GPT-2's folders often say nothing but the model's type.
    if (kind === 'qwen2') await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
    return folder;
  }
  if (name === 'bert-vocabulary-cased' || name === 'bert-json-cased') {
    const folder = await folderOf(
      'bert',
      name === 'bert-json-cased' ? ['vocab.txt', 'tokenizer.json'] : ['vocab.txt'],
      name,
    );
    await writeFile(
      join(folder, 'tokenizer_config.json'),
      '{"do_lower_case": false, "tokenizer_class": "BertTokenizer"}',
    );
    return folder;
  }
  return join(models, name);
}

describe('token ids equal transformers', () => {
  test.each(Object.keys(oracle))('%s', async (name) => {
    const tokenizer = await openTokenizer(await open(name));
    const cases = oracle[name] ?? [];
    expect(cases.length).toBeGreaterThan(40);
    for (const one of cases) {
      const [encoded] = await tokenizer.encode([one], one.maxLength);
      // DistilBERT has no segments, though its folder's BertTokenizer numbers them.
      const typeIds = name === 'distilbert' ? one.typeIds.map(() => 0) : one.typeIds;
      expect({ ...one, ids: [...(encoded?.ids ?? [])], typeIds: [...(encoded?.typeIds ?? [])] }).toEqual({
        ...one,
        typeIds,
      });
    }
  });
});

test('gives repeated texts their own tokens where it remembers them', async () => {
  const [plain, remembering] = [await openTokenizer(await open('bert')), await openTokenizer(await open('bert'))];
  remembering.remember();
  const rows = ['one', 'two words', 'one', 'three more words', 'two words', 'four'].map((text) => ({
    text,
    pair: null,
  }));
  const expected = await plain.encode(rows, 16);
  for (const _ of [1, 2]) expect(await remembering.encode(rows, 16)).toEqual(expected);
});

describe('openTokenizer', () => {
  test.each([
    ['{"model_type": "llama"}', '{}', /not known how llama cuts a text/],
    ['{"model_type": "gpt2"}', '{"tokenizer_class": "BartTokenizer"}', /not known how BartTokenizer cuts/],
  ])('of a vocabulary alone, %s with %s is refused with what to do', async (model, tokenizer, message) => {
    const folder = await folderOf('gpt2', ['vocab.json', 'merges.txt'], `unknown ${tokenizer.length}`);
    await writeFile(join(folder, 'config.json'), model);
    await writeFile(join(folder, 'tokenizer_config.json'), tokenizer);
    await expect(openTokenizer(folder)).rejects.toMatchObject({
      code: 'bad-model',
      message: expect.stringMatching(message) as string,
      hint: expect.stringContaining('save_pretrained(FOLDER)') as string,
    });
  });

  test('knows its special tokens', async () => {
    const bert = await openTokenizer(join(models, 'bert'));
    expect([bert.padId, bert.clsId, bert.sepId, bert.maskId]).toEqual(
      ['[PAD]', '[CLS]', '[SEP]', '[MASK]'].map((token) => bert.tokenId(token)),
    );
    const roberta = await openTokenizer(join(models, 'roberta'));
    expect([roberta.padId, roberta.clsId, roberta.sepId, roberta.maskId]).toEqual(
      ['<pad>', '<s>', '</s>', '<mask>'].map((token) => roberta.tokenId(token)),
    );
  });

  test('counts lengths uncut, and cuts again afterwards', async () => {
    const tokenizer = await openTokenizer(join(models, 'bert'));
    const row = { text: 'fog '.repeat(300), pair: null };
    const [cut] = await tokenizer.encode([row], 12);
    const [length] = await tokenizer.lengths([row]);
    const [again] = await tokenizer.encode([row], 12);
    expect(cut?.ids).toHaveLength(12);
    expect(length).toBeGreaterThan(302);
    expect(again).toEqual(cut);
  });

  test('calls that overlap do not mix their lengths', async () => {
    const tokenizer = await openTokenizer(join(models, 'bert'));
    const rows = [{ text: 'fog '.repeat(100), pair: null }];
    const answers = await Promise.all([5, 9, 7, 30].map((length) => tokenizer.encode(rows, length)));
    expect(answers.map(([one]) => one?.ids.length)).toEqual([5, 9, 7, 30]);
  });

  test('gives the ids of a text with and without special tokens, and tokens as people read them', async () => {
    const bert = await openTokenizer(join(models, 'bert'));
    const text = 'the weather in paris';
    const [encoded] = await bert.encode([{ text, pair: null }], 64);
    const ids = await bert.ids(text, true);
    expect(ids).toEqual([...(encoded?.ids ?? [])]);
    expect(await bert.ids(text, false)).toEqual(ids.slice(1, -1));
    expect(await Promise.all(ids.slice(0, 2).map((id) => bert.word(id)))).toEqual(['[CLS]', 'the']);
    const piece = bert.tokenId('##at');
    expect(await bert.word(piece ?? -1)).toBe('##at');
    const roberta = await openTokenizer(join(models, 'roberta'));
    expect(await roberta.word(roberta.tokenId('\u0120the') ?? -1)).toBe('the');
    // A byte that is no text by itself is shown by its token.
    for (const token of ['\u0106', '\u00e3']) expect(await roberta.word(roberta.tokenId(token) ?? -1)).toBe(token);
    expect(await roberta.word(1_000_000)).toBe('[1000000]');
  });

  test('refuses a tokenizer larger than the vocabulary, naming both numbers', async () => {
    const { vocabularySize } = await openTokenizer(join(models, 'bert'));
    await expect(openTokenizer(join(models, 'bert'), { vocabularySize: vocabularySize - 1 })).rejects.toThrow(
      `has ${vocabularySize} tokens, but the model's vocabulary has ${vocabularySize - 1}`,
    );
    await expect(openTokenizer(join(models, 'bert'), { vocabularySize: 30522 })).rejects.toMatchObject({
      code: 'bad-model',
    });
    await expect(openTokenizer(join(models, 'bert'), { vocabularySize: vocabularySize + 24 })).resolves.toBeDefined();
  });

  test('names what is missing or broken', async () => {
    await expect(openTokenizer(join(scratch, 'nowhere'))).rejects.toThrow('holds no tokenizer');
    const broken = join(scratch, 'broken');
    await cp(join(models, 'bert'), broken, { recursive: true });
    await writeFile(join(broken, 'tokenizer.json'), '{"model": {');
    await expect(openTokenizer(broken)).rejects.toThrow('tokenizer.json is not valid JSON');
    await writeFile(join(broken, 'tokenizer.json'), '{"model": {"type": "Magic"}}');
    await expect(openTokenizer(broken)).rejects.toMatchObject({ code: 'bad-model' });
    const headless = await folderOf('bert', ['vocab.txt'], 'headless');
    await writeFile(join(headless, 'vocab.txt'), '[PAD]\n[UNK]\nfog\n');
    await expect(openTokenizer(headless)).rejects.toThrow('lacks the token [CLS]');
  });

  test('refuses a length without room for special tokens', async () => {
    const tokenizer = await openTokenizer(join(models, 'roberta'));
    await expect(tokenizer.encode([{ text: 'a', pair: 'b' }], 4)).rejects.toThrow('no room for the special tokens');
  });
});
