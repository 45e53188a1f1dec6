import { describe, expect, it } from 'vitest';
import { planSchema, type Dataset, type Prediction, type Run } from '../../../electron/contract/index.js';
import {
  answersOf,
  defaultReaders,
  labelOrder,
  othersToAsk,
  spreadOver,
} from '../../../renderer/screens/playground/readers.js';

const run = (id: number, type: string, seed: number, macroF1: number, change: Partial<Run> = {}): Run => ({
  id,
  projectId: 1,
  modelId: 1,
  datasetId: 1,
  modelName: '',
  datasetName: '',
  methodName: type,
  setting: '',
  seed,
  plan: planSchema.parse({ model: 'a', data: 'b', method: { type } }),
  state: 'finished',
  step: 1,
  totalSteps: 1,
  secondsLeft: null,
  device: null,
  createdAt: '',
  startedAt: null,
  endedAt: null,
  validation: { accuracy: macroF1, macroF1, loss: 1 },
  result: null,
  problem: null,
  ...change,
});
const prediction = (
  label: string,
  probabilities: Record<string, number>,
  change: Partial<Prediction> = {},
): Prediction => ({
  runId: 1,
  title: '',
  type: null,
  kind: 'classes',
  value: null,
  label,
  probabilities,
  milliseconds: 1,
  problem: null,
  ...change,
});

describe('defaultReaders', () => {
  it('takes one run a method of the newest data and model, the baseline first, then by score', () => {
    const list = [
      run(9, 'head', 1, 0.5),
      run(8, 'lora', 2, 0.9),
      run(7, 'lora', 1, 0.88),
      run(6, 'bitfit', 1, 0.8),
      run(5, 'full', 1, 0.7),
      run(4, 'lora', 0, 0.99, { datasetId: 2 }),
      run(3, 'full', 0, 1, { state: 'failed' }),
    ];
    expect(defaultReaders(list)).toEqual([5, 7, 6]);
    expect(defaultReaders([])).toEqual([]);
  });
});

describe('what reads side by side', () => {
  it('is of the data of the run that was asked for, which is among it', () => {
    const list = [
      run(9, 'lora', 2, 0.9),
      run(8, 'full', 1, 0.8, { datasetId: 2 }),
      run(7, 'lora', 1, 0.7, { datasetId: 2 }),
      run(6, 'lora', 3, 0.9, { datasetId: 2 }),
      run(5, 'head', 1, 0.8, { datasetId: 2 }),
      run(4, 'bitfit', 1, 0.8, { datasetId: 2 }),
    ];
    expect(defaultReaders(list, list[3])).toEqual([8, 6, 5]);
    expect(defaultReaders(list, list[2])).toEqual([8, 5, 7]);
  });

  it('answers by the same labels, or numbers of one data set', () => {
    const set = (id: number, labels: string[]) => ({ id, labels }) as unknown as Dataset;
    const sets = [set(1, ['a', 'b']), set(2, ['b', 'a']), set(3, ['a', 'c']), set(4, []), set(5, [])];
    const answers = [1, 2, 3, 4, 5].map((datasetId) => answersOf(run(1, 'lora', 1, 1, { datasetId }), sets));
    expect(answers[0]).toBe(answers[1]);
    expect(new Set(answers).size).toBe(4);
  });
});

describe('labelOrder', () => {
  it('orders labels by the first reader and never hides a reader\u2019s own answer', () => {
    const first = prediction('b', { a: 0.1, b: 0.6, c: 0.25, d: 0.05 });
    const other = prediction('d', { a: 0.1, b: 0.2, c: 0.1, d: 0.6 });
    expect(labelOrder([first, other], 2)).toEqual(['b', 'c', 'd']);
  });
  it('of several labels each told one stands for itself', () => {
    const first = prediction('a', { a: 0.9, b: 0.2, c: 0.1 }, { kind: 'labels' });
    const other = prediction('b, c', { a: 0.1, b: 0.6, c: 0.7 }, { kind: 'labels' });
    expect(labelOrder([first, other], 1)).toEqual(['a', 'b', 'c']);
  });
  it('skips a reader that failed', () => {
    const failed = prediction('', {}, { problem: { code: 'internal', message: 'x', hint: null, context: {} } });
    expect(labelOrder([failed, prediction('a', { a: 1 })])).toEqual(['a']);
    expect(labelOrder([])).toEqual([]);
  });
});

describe('spreadOver', () => {
  it('gives each label its lowest and highest share, and counts the seeds that agree', () => {
    const own = prediction('a', { a: 0.6, b: 0.4 });
    const others = [
      prediction('b', { a: 0.3, b: 0.7 }, { runId: 2 }),
      prediction('a', { a: 0.9, b: 0.1 }, { runId: 3 }),
      prediction('', {}, { runId: 4, problem: { code: 'not-found', message: 'gone', hint: null, context: {} } }),
    ];
    expect(spreadOver(own, others)).toEqual({ seeds: 3, agreeing: 2, ranges: { a: [0.3, 0.9], b: [0.1, 0.7] } });
    expect(spreadOver(own, others.slice(2))).toBeNull();
  });
});

describe('othersToAsk', () => {
  it('names each reader\u2019s first other seed before any second, none twice and no reader', () => {
    expect(
      othersToAsk(
        [1, 5],
        [
          [2, 3],
          [6, 2, 1],
        ],
      ),
    ).toEqual([2, 6, 3]);
    expect(
      othersToAsk(
        [1, 5],
        [
          [2, 3],
          [6, 7],
        ],
        3,
      ),
    ).toEqual([2, 6, 3]);
    expect(othersToAsk([1], [])).toEqual([]);
  });
});
