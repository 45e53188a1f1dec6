import { describe, expect, it } from 'vitest';
import type { Run, Writing } from '../../../electron/contract/index.js';
import {
  allWriters,
  askedOf,
  defaultWriters,
  runWriter,
  baseWriter,
  shortTime,
  stateOf,
  type Turn,
} from '../../../renderer/screens/chat/writers.js';

/** Only what the functions read. */
const run = (id: number, type: string, seed = 1, modelId = 1, datasetId = 1) =>
  ({ id, modelId, datasetId, seed, state: 'finished', plan: { method: { type } } }) as unknown as Run;
const newestFirst = [run(5, 'lora', 2), run(4, 'lora'), run(3, 'prefix'), run(2, 'full'), run(1, 'lora', 1, 2)];

describe('who answers', () => {
  it('the base and one run a method first, full fine-tuning before the others', () => {
    expect(defaultWriters(newestFirst, null)).toEqual(['base 1', 'run 2', 'run 4', 'run 3']);
    expect(defaultWriters([], null)).toEqual([]);
  });

  it('with a run that was asked for, its model and that very run', () => {
    expect(defaultWriters(newestFirst, newestFirst[0] ?? null)).toEqual(['base 1', 'run 2', 'run 5', 'run 3']);
    expect(defaultWriters(newestFirst, newestFirst[4] ?? null)).toEqual(['base 2', 'run 1']);
  });

  it('offers a base once a model', () => {
    expect(allWriters(newestFirst).map(({ key }) => key)).toEqual([
      'base 1',
      'base 2',
      'run 5',
      'run 4',
      'run 3',
      'run 2',
      'run 1',
    ]);
  });
});

describe('what a writer is asked', () => {
  const answer = (text: string) => ({ text, writing: null });
  const turns: Turn[] = [
    { id: 1, question: 'one', answers: { 'run 4': answer('first'), 'base 1': answer('other') } },
    { id: 2, question: 'two', answers: { 'base 1': answer('second') } },
    { id: 3, question: 'three', answers: { 'run 4': answer(' ') } },
    { id: 4, question: 'four', answers: {} },
  ];
  const adapter = runWriter(run(4, 'lora'));

  it('its own conversation, without what it did not answer', () => {
    expect(askedOf(adapter, turns, '', 'instruction')).toEqual({
      runId: 4,
      trained: true,
      asked: {
        messages: [
          { role: 'user', content: 'one' },
          { role: 'assistant', content: 'first' },
          { role: 'user', content: 'four' },
        ],
      },
    });
    const { asked } = askedOf(baseWriter(run(4, 'lora')), turns, 'Be brief.', 'chat');
    expect('messages' in asked && asked.messages.map(({ content }) => content)).toEqual([
      'Be brief.',
      'one',
      'other',
      'two',
      'second',
      'four',
    ]);
  });

  it('the text alone where it learned plain text', () => {
    expect(askedOf(adapter, turns, 'ignored', 'text').asked).toEqual({ text: 'four' });
  });
});

describe('how an answer stands', () => {
  const writing = (ended: Writing['ended'], tokens = 3): Writing => ({
    tokens,
    promptTokens: 2,
    loaded: 'nothing',
    secondsToLoad: 0,
    secondsToFirst: null,
    tokensPerSecond: null,
    ended,
    problem: null,
  });
  it.each([
    [null, 'Waiting'],
    [writing(null, 0), 'Reading'],
    [writing(null), 'Streaming'],
    [writing('stop'), 'Done'],
    [writing('length'), 'Cut off at its longest'],
    [writing('stopped'), 'Stopped'],
    [writing('problem'), 'Failed'],
  ])('%j', (how, word) => {
    expect(stateOf({ text: '', writing: how }).word).toBe(word);
  });
});

it('tells short times in milliseconds', () => {
  expect([0.0021, 0.24, 1.321].map(shortTime)).toEqual(['2.1 ms', '240 ms', '1.32 s']);
});
