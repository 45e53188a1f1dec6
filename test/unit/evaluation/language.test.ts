/** What a language model is measured by, and what a comparison of perplexities may say. */
import { describe, expect, test } from 'vitest';
import { comparisonSchema, planSchema, type Run } from '../../../electron/contract/index.js';
import { buildComparison, languageScores, type RunWithRows } from '../../../electron/evaluation/index.js';
import { uniforms } from '../../helpers/tiny-model.js';

const rows = 400;
/** Rows of 1 to 6 tokens whose loss a token lies about `loss`. */
function lossesOf(loss: number, seed: number) {
  const next = uniforms(seed);
  const tokens = Array.from({ length: rows }, (_, row) => 1 + (row % 6));
  return { tokens, sums: tokens.map((count) => count * (loss + 0.2 * (next() - 0.5))) };
}
let id = 1;
function made(type: string, seed: number, loss: number, exactly = 0.5): RunWithRows {
  const { tokens, sums } = lossesOf(loss, seed);
  const exact = tokens.map((_, row) => (row >= 100 ? Number.NaN : Number(row < 100 * exactly)));
  const matches = exact.filter((one) => !Number.isNaN(one)).map((one) => ({ answer: '', exact: one === 1 }));
  const outcomes = tokens.map((count, row) => ({
    loss: sums[row] ?? 0,
    tokens: count,
    exact: Number.isNaN(exact[row]) ? null : exact[row] === 1,
  }));
  const test_ = languageScores({ tokens, sums }, matches);
  const plan = planSchema.parse({
    model: 'base',
    data: 'data',
    objective: 'causal-lm',
    method: { type },
    training: { seed },
  });
  const result = {
    test: test_,
    validation: test_,
    bestStep: 1,
    trainableParameters: 10,
    totalParameters: 100,
    secondsPerStep: 1,
    tokensPerSecond: 1,
    peakMemoryBytes: 1,
    optimizerBytes: 1,
    checkpointBytes: 1,
    trainingSeconds: 1,
    steps: 1,
    stoppedEarly: false,
  };
  const run: Run = {
    id: id++,
    projectId: 1,
    modelId: 1,
    datasetId: 1,
    modelName: 'base',
    datasetName: 'data',
    methodName: type,
    setting: '',
    seed,
    plan,
    state: 'finished',
    step: 1,
    totalSteps: 1,
    secondsLeft: null,
    device: 'cpu',
    createdAt: '',
    startedAt: null,
    endedAt: null,
    validation: null,
    result,
    problem: null,
  };
  return { run, rows: { objective: 'causal-lm', rowIds: tokens.map((_, row) => row), outcomes } };
}
const options = { dataset: 'data', model: 'base', objective: 'causal-lm', measure: 'perplexity', zone: 1 } as const;

describe('languageScores', () => {
  test('loss is over all tokens together, perplexity its power, with intervals around them', () => {
    const scores = languageScores({ sums: [2, 9], tokens: [1, 3] }, [
      { answer: 'a', exact: true },
      { answer: 'b', exact: false },
    ]);
    expect(scores).toMatchObject({ loss: 2.75, perplexity: Math.exp(2.75), exactMatch: 0.5, exactMatchRows: 2 });
    const { low = NaN, high = NaN } = scores.perplexityInterval ?? {};
    expect([low, high]).toEqual([Math.exp(2), Math.exp(3)]);
    expect(languageScores({ sums: [2], tokens: [1] }, null)).toMatchObject({ exactMatch: null, lossInterval: null });
  });
});

describe('a comparison of perplexities', () => {
  test('tells how much higher the perplexity is, in percent of full fine-tuning’s, as worse', async () => {
    const runs = [1, 2, 3].flatMap((seed) => [made('full', seed, 1), made('lora', seed, 1.1)]);
    const comparison = await buildComparison(runs, options);
    expect(comparisonSchema.parse(comparison)).toEqual(comparison);
    const [full, lora] = comparison.rows;
    expect([full?.type, full?.macroF1, full?.accuracy]).toEqual(['full', undefined, undefined]);
    // Perplexity is e^0.1 times as high: 10.5 % more.
    expect(lora?.difference?.mean).toBeCloseTo(100 * (1 - Math.exp(0.1)), 6);
    expect(lora?.verdict).toMatchObject({
      kind: 'worse',
      text: expect.stringMatching(/^worse by 10\.\d to 10\.\d %$/) as unknown,
    });
    expect(lora?.perplexity?.mean).toBeCloseTo(Math.exp(1.1), 1);
  });

  test('calls equal runs within the zone, and lower perplexity better', async () => {
    const runs = [1, 2, 3].flatMap((seed) => [
      made('full', seed, 1),
      made('lora', seed, 1.001),
      made('ia3', seed, 0.9),
    ]);
    const { rows: told } = await buildComparison(runs, options);
    const verdict = (type: string) => told.find((row) => row.type === type)?.verdict;
    expect(verdict('lora')).toMatchObject({ kind: 'within', text: "within 1 % of full fine-tuning's perplexity" });
    expect(verdict('ia3')).toMatchObject({ kind: 'better' });
    expect(told.map(({ type }) => type)).toEqual(['full', 'ia3', 'lora']);
  });

  test('pairs exact matches on the rows whose answers were generated', async () => {
    const runs = [1, 2].flatMap((seed) => [made('full', seed, 1, 0.5), made('lora', seed, 1, 0.4)]);
    const comparison = await buildComparison(runs, { ...options, measure: 'exactMatch' });
    expect(comparison.testRows).toBe(100);
    expect(comparison.rows[1]?.difference?.mean).toBeCloseTo(-10, 9);
  });

  test('does not pair runs whose rows have other tokens', async () => {
    const other = made('lora', 1, 1);
    const cut = other.rows && {
      ...other.rows,
      outcomes: other.rows.outcomes.map((outcome) => ({ ...outcome, tokens: 1 })) as typeof other.rows.outcomes,
    };
    const { notes } = await buildComparison([made('full', 1, 1), { run: other.run, rows: cut }], options);
    expect(notes.join(' ')).toContain('1 run was scored on other test rows');
  });
});
