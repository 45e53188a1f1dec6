/** Rows as texts and conversations: what is recognized, what is made of it, and why a row cannot be used. */
import { describe, expect, it } from 'vitest';
import { importRequestSchema, type GenerationColumns, type ImportRequest } from '../../../electron/contract/index.js';
import { importRows, previewFile, type RowSink } from '../../../electron/data/index.js';
import { exampleOf } from '../../../electron/data/conversations.js';
import type { ImportedRow } from '../../../electron/data/types.js';
import { scratchFolder } from './scratch.js';

const chat: GenerationColumns = { form: 'chat', messages: 'messages', system: null };
const alpaca: GenerationColumns = {
  form: 'instruction',
  prompt: 'instruction',
  input: 'input',
  completion: 'output',
  system: null,
};
const messagesIn = (messages: unknown) => exampleOf({ messages: JSON.stringify(messages) }, chat);

describe('exampleOf', () => {
  it("reads OpenAI's messages, parts of text among them, and ShareGPT's conversations", () => {
    const expected = [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
    ];
    const parts = [
      { type: 'text', text: 'H' },
      { type: 'text', text: 'i' },
    ];
    expect(messagesIn([expected[0], { role: 'user', content: parts }, expected[2]])).toMatchObject({
      messages: expected,
    });
    const shared = [
      { from: 'system', value: 'Be kind.' },
      { from: 'human', value: 'Hi' },
      { from: 'gpt', value: 'Hello' },
    ];
    expect(messagesIn(shared)).toMatchObject({ messages: expected, text: 'system: Be kind.\nuser: Hi' });
  });

  it("puts Alpaca's input behind the instruction, and leaves an empty one out", () => {
    const made = (input: string) => exampleOf({ instruction: 'Add', input, output: '3' }, alpaca);
    expect(made('1, 2')).toMatchObject({
      text: 'Add\n\n1, 2',
      messages: [
        { role: 'user', content: 'Add\n\n1, 2' },
        { role: 'assistant', content: '3' },
      ],
    });
    expect(made('')).toMatchObject({ text: 'Add' });
  });

  it.each([
    [[], 'there are no messages'],
    [{ role: 'user' }, 'holds no list of messages'],
    [[{ content: 'Hi' }], 'message 1 has no role'],
    [[{ role: 'tool', content: 'x' }], 'message 1 has the role "tool"'],
    [[{ role: 'user', content: null }], 'message 1 (user) has no text'],
    [
      [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: ' ' },
      ],
      'message 2 (assistant) is empty',
    ],
    [[{ role: 'user', content: 'Hi' }], "the last message is the user's"],
    [
      [
        { role: 'user', content: 'a' },
        { role: 'system', content: 'b' },
        { role: 'assistant', content: 'c' },
      ],
      'only the first may be',
    ],
    [['Hi'], 'message 1 is no object'],
    [[{ role: 'constructor', content: 'x' }], 'has the role "constructor"'],
  ])('%j: %s', (messages, problem) => {
    expect(messagesIn(messages)).toMatchObject({ problem: expect.stringContaining(problem) as unknown });
  });

  it('names the empty column', () => {
    expect(exampleOf({ instruction: 'Add', output: '' }, alpaca)).toEqual({
      problem: 'the completion is empty: the column "output"',
    });
    expect(exampleOf({ text: ' ' }, { form: 'text', text: 'text' })).toEqual({
      problem: 'the text is empty: the column "text"',
    });
    expect(exampleOf({ messages: '{' }, chat)).toMatchObject({
      problem: expect.stringContaining('not JSON') as unknown,
    });
  });
});

describe('files to write text from', () => {
  const folder = scratchFolder();
  const put = (name: string, content: string) => folder.write(name, content);
  const lines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n');

  it.each([
    ['alpaca.json', JSON.stringify([{ instruction: 'a b', input: '', output: 'c' }]), 'generation', alpaca],
    ['chat.jsonl', lines([{ messages: [{ role: 'user', content: 'a' }] }]), 'generation', chat],
    [
      'sharegpt.jsonl',
      lines([{ id: '1', conversations: [{ from: 'human', value: 'a' }] }]),
      'generation',
      { form: 'chat', messages: 'conversations', system: null },
    ],
    [
      'pairs.csv',
      'prompt,completion\nWhat is it?,A tree\nAnd that?,A fish\n',
      'generation',
      { form: 'instruction', prompt: 'prompt', completion: 'completion', input: null, system: null },
    ],
    ['story.txt', 'Once upon a time.\nThere was a fish.\n', 'generation', { form: 'text', text: 'text' }],
    [
      'topics.csv',
      'text,label\nfog,weather\nbread,food\nrain,weather\nsoup,food\n',
      'classification',
      { form: 'text', text: 'text' },
    ],
  ] as const)('%s is recognized', async (name, content, task, generation) => {
    expect(await previewFile(await put(name, content))).toMatchObject({ suggestedTask: task, generation });
  });

  it('imports conversations: equal prompts stay in one split, bad rows are named by line', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({ instruction: `Say ${i % 20}`, input: '', output: `${i}` }));
    const path = await put('say.jsonl', lines([...rows, { instruction: 'Say', input: '', output: '' }]));
    const request = (badRows: 'stop' | 'skip'): ImportRequest =>
      importRequestSchema.parse({
        task: 'generation',
        projectId: 1,
        name: 'say',
        path,
        columns: alpaca,
        validation: 0.2,
        test: 0.2,
        badRows,
      });
    const written: ImportedRow[] = [];
    const sink: RowSink = { write: async (some) => void written.push(...some) };
    await expect(importRows(request('stop'), sink)).rejects.toMatchObject({
      code: 'bad-data',
      message: expect.stringContaining('line 41: the completion is empty') as unknown,
    });
    const summary = await importRows(request('skip'), sink);
    expect(summary).toMatchObject({ labels: [], skippedRows: 1, rows: { train: 24, validation: 8, test: 8 } });
    expect(summary.splitNote).toContain('equal prompts kept together');
    const splits = new Map<string, Set<string>>();
    for (const { text, split } of written) splits.set(text, (splits.get(text) ?? new Set()).add(split));
    expect([...splits.values()].every((own) => own.size === 1)).toBe(true);
    expect(written[0]).toMatchObject({
      label: '',
      pair: expect.any(String) as unknown,
      messages: [{ role: 'user' }, { role: 'assistant' }],
    });
  });
});
