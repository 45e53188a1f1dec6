/** CoNLL files, lists of words and tags, and SQuAD's JSON: as they are read, previewed and imported. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importRequestSchema } from '../../../electron/contract/entities.js';
import { importRows, previewFile, readRows, type ImportedRow } from '../../../electron/data/index.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagging-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function imported(request: object) {
  const rows: ImportedRow[] = [];
  const write = async (some: readonly ImportedRow[]) => void rows.push(...some);
  const summary = await importRows(
    importRequestSchema.parse({ projectId: 1, name: 'a', validation: null, test: null, ...request }),
    { write },
  );
  return { rows, summary };
}
const tagging = { task: 'tagging', wordsColumn: 'word', tagsColumn: 'column 2' };

describe('CoNLL', () => {
  it('reads sentences between blank lines, without comments and document starts', async () => {
    const path = await file(
      'a.txt',
      '-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n# text = a comment\n# NN B-NP O\n7 CD I-NP B-MISC\n\n\t\nlast NN B-NP O',
    );
    const preview = await previewFile(path);
    expect(preview).toMatchObject({
      format: 'conll',
      suggestedTask: 'tagging',
      tagging: { words: 'word', tags: 'column 4', scheme: 'BIO (IOB2)' },
    });
    const { rows, summary } = await imported({ ...tagging, path, tagsColumn: 'column 4' });
    expect(rows.map(({ text, label, line }) => [text, label, line])).toEqual([
      ['EU rejects', 'B-ORG O', 3],
      ['# 7', 'O B-MISC', 7],
      ['last', 'O', 11],
    ]);
    expect(summary.labels).toEqual(['B-MISC', 'B-ORG', 'O']);
  });

  it('tells what it converts, and the lines of tags that are malformed', async () => {
    const iob = await file('iob1.conll', 'a\tI-PER\nb\tI-PER\nc\tB-PER\n\nd\tO\n');
    const { rows, summary } = await imported({ ...tagging, path: iob });
    expect(rows[0]?.label).toBe('B-PER I-PER B-PER');
    expect(summary.notes).toContain('The tags were IOB1 and were converted to BIO (IOB2).');
    const malformed = await file('bad.conll', 'a\tB-PER\nb\tI-LOC\n\nc\tO\nd\tI-PER\n');
    const read = await imported({ ...tagging, path: malformed });
    expect(read.rows.map(({ label }) => label)).toEqual(['B-PER B-LOC', 'O B-PER']);
    expect(read.summary.notes.join()).toMatch(/^2 I- tags .* seqeval reads them: lines 2, 5\./);
    const single = await file('bioes.conll', 'a\tS-PER\nb\tB-LOC\nc\tE-LOC\n\n');
    expect((await imported({ ...tagging, path: single })).rows[0]?.label).toBe('B-PER B-LOC I-LOC');
    const bare = await file('bare.conll', 'a\tPER\nb\tPER\nc\tO\n\n');
    expect((await imported({ ...tagging, path: bare })).rows[0]?.label).toBe('B-PER I-PER O');
  });

  it('names the line that lacks a column, and refuses tags of every word', async () => {
    const path = await file('short.conll', 'a\tO\nb\n\nc\tB-X\n\nd\tO\n');
    await expect(imported({ ...tagging, path })).rejects.toThrow(/line 2: 1 column where there are 2: "b"/);
    const pos = await file('pos.conll', 'a\tNN\nb\tVB\n\n');
    await expect(imported({ ...tagging, path: pos })).rejects.toThrow(/no word has the tag O/);
  });
});

it('reads lists of words and numbered tags by their names', async () => {
  const path = await file(
    'a.jsonl',
    '{"tokens":["New York","is"],"ner_tags":[1,0]}\n{"tokens":["up"],"ner_tags":[0]}\n',
  );
  const preview = await previewFile(path);
  expect(preview.tagging).toEqual({ words: 'tokens', tags: 'ner_tags', scheme: null, tagNames: [] });
  const request = { task: 'tagging', path, wordsColumn: 'tokens', tagsColumn: 'ner_tags' };
  await expect(imported(request)).rejects.toThrow(/the tags are numbers/);
  const { rows } = await imported({ ...request, tagNames: ['O', 'B-LOC'] });
  expect(rows.map(({ text, label }) => [text, label])).toEqual([
    ['New\u00a0York is', 'B-LOC O'],
    ['up', 'O'],
  ]);
  await expect(imported({ ...request, tagNames: ['B-LOC', 'X'].slice(0, 2) })).rejects.toThrow(/prefix|no word/);
});

const squad = (paragraphs: object[]) =>
  JSON.stringify({ version: 'v2.0', data: paragraphs.map((one, i) => ({ title: `Article ${i}`, paragraphs: [one] })) });
const questions = {
  task: 'questions',
  questionColumn: 'question',
  contextColumn: 'context',
  answersColumn: 'answers',
  groupColumn: 'title',
};

describe('SQuAD', () => {
  it('reads questions, with and without answers, and keeps an article in one split', async () => {
    const path = await file(
      'squad.json',
      squad(
        Array.from({ length: 12 }, (_, i) => ({
          context: `😀 Text ${i} says that the sky is blue.`,
          qas: [
            { id: `a${i}`, question: 'What is blue?', answers: [{ text: 'the sky', answer_start: i < 10 ? 19 : 20 }] },
            {
              id: `b${i}`,
              question: 'What is red?',
              is_impossible: true,
              answers: [],
              plausible_answers: [{ text: 'x' }],
            },
          ],
        })),
      ),
    );
    const preview = await previewFile(path);
    expect(preview).toMatchObject({
      format: 'squad',
      suggestedTask: 'questions',
      questions: { question: 'question', context: 'context', answers: 'answers', group: 'title' },
    });
    const { rows, summary } = await imported({ ...questions, path, validation: 0.25, test: 0.25 });
    expect(summary.labels).toEqual(['answerable', 'unanswerable']);
    for (const { pair, answers } of rows)
      for (const { text, start } of answers ?? []) expect(pair?.slice(start, start + text.length)).toBe(text);
    const splits = new Map<string | null, Set<string>>();
    for (const { pair, split } of rows) splits.set(pair, (splits.get(pair) ?? new Set()).add(split));
    expect([...splits.values()].every((own) => own.size === 1)).toBe(true);
    expect(new Set(rows.map(({ split }) => split)).size).toBe(3);
    expect(summary.splitNote).toMatch(/questions of one "title" kept together/);
  });

  it('finds an answer beside its place and refuses one that is not there, both texts shown', async () => {
    const near = await file(
      'near.jsonl',
      '{"question":"q","context":"It is a blue sky.","answers":{"text":["blue"],"answer_start":[5]}}\n',
    );
    const read = await imported({ ...questions, path: near, groupColumn: null });
    expect(read.rows[0]?.answers).toEqual([{ text: 'blue', start: 8 }]);
    expect(read.summary.notes.join()).toMatch(/^1 answers stood beside the place/);
    const far = await file(
      'far.jsonl',
      '{"question":"q","context":"It is a blue sky.","answers":[{"text":"red","answer_start":8}]}\n',
    );
    await expect(imported({ ...questions, path: far, groupColumn: null })).rejects.toThrow(
      /line 1: the answer "red" does not stand at 8, where the context has "blu"/,
    );
  });

  it('names the article that is not as it should be', async () => {
    const path = await file('odd.json', '{"data":[{"title":"a","paragraphs":[{"context":"c","qas":[{"id":"1"}]}]}]}');
    const rows = [];
    for await (const row of readRows(path)) rows.push(row);
    expect(rows).toEqual([
      { line: 1, problem: expect.stringMatching(/^the article of line 1: paragraphs\.0\.qas\.0\.question/) },
    ]);
  });
});
