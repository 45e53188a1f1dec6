import { describe, expect, it } from 'vitest';
import {
  planSchema,
  type Comparison,
  type ComparisonRow,
  type MethodInfo,
  type Run,
} from '../../../electron/contract/index.js';
import {
  groupSentences,
  pairings,
  plansForBaseline,
  plansForMoreSeeds,
  rowName,
} from '../../../renderer/screens/compare/pairs.js';
import { comparisonTable, comparisonText, verdictCell, verdictTitle } from '../../../renderer/screens/compare/words.js';

const scores = { accuracy: 0.9, macroF1: 0.9, loss: 0.3 };
function run(id: number, type: string, seed: number, change: Partial<Run> = {}): Run {
  return {
    id,
    projectId: 1,
    modelId: 1,
    datasetId: 1,
    modelName: 'Starter',
    datasetName: 'tickets',
    methodName: type,
    setting: 'default',
    seed,
    plan: planSchema.parse({
      model: 'Starter',
      data: 'tickets',
      method: { type },
      training: { seed, learningRate: 0.002 },
    }),
    state: 'finished',
    step: 10,
    totalSteps: 10,
    secondsLeft: null,
    device: 'cpu',
    createdAt: '',
    startedAt: null,
    endedAt: null,
    validation: scores,
    problem: null,
    result: {
      test: scores,
      validation: scores,
      bestStep: 1,
      trainableParameters: 1,
      totalParameters: 2,
      secondsPerStep: 1,
      tokensPerSecond: 1,
      peakMemoryBytes: 1,
      optimizerBytes: 1,
      checkpointBytes: 1,
      trainingSeconds: 1,
      steps: 10,
      stoppedEarly: false,
    },
    ...change,
  };
}
const m = (mean: number) => ({ mean, interval: { low: mean - 0.01, high: mean + 0.01 } });
function row(
  type: string,
  runs: number[],
  seeds: number[],
  kind: ComparisonRow['verdict']['kind'],
  moreSeeds: number | null = null,
): ComparisonRow {
  return {
    key: type,
    type,
    methodName: type,
    setting: 'default',
    baseline: kind === 'baseline',
    runs,
    seeds,
    perplexity: null,
    exactMatch: null,
    accuracy: m(0.9),
    macroF1: m(0.9),
    loss: m(0.3),
    difference:
      kind === 'baseline' ? null : { mean: -0.4, interval: { low: -1.9, high: 1.1 }, pairedSeeds: seeds.length },
    verdict: { kind, text: `${type} text`, moreSeeds },
    trainableParameters: 10,
    share: 0.01,
    secondsPerStep: m(0.4),
    tokensPerSecond: m(4600),
    peakMemoryBytes: 578e6,
    optimizerBytes: 8,
    checkpointBytes: 12,
    trainingSeconds: m(30),
  };
}

describe('pairings', () => {
  it('groups finished runs that have a test score by data and model, the newest group first', () => {
    const list = [
      run(5, 'lora', 1, { datasetId: 2, datasetName: 'clauses' }),
      run(4, 'full', 1),
      run(3, 'lora', 1),
      run(2, 'lora', 2, { state: 'failed', result: null }),
      run(1, 'head', 1, { modelId: 9 }),
    ];
    expect(pairings(list).map((p) => [p.title, p.runs.map((r) => r.id)])).toEqual([
      ['clauses, Starter', [5]],
      ['tickets, Starter', [4, 3]],
      ['tickets, Starter', [1]],
    ]);
  });
});

describe('more seeds', () => {
  const brief = (more: ReturnType<typeof plansForMoreSeeds>) =>
    more.plans.map((p) => `${p.method.type} ${p.training.seed}`);
  it('takes the baseline\u2019s seeds first, then new ones, which the baseline runs too', () => {
    const runs = [run(1, 'full', 1), run(2, 'full', 2), run(3, 'lora', 1), run(4, 'lora', 2), run(5, 'bitfit', 1)];
    const rows = [
      row('full', [1, 2], [1, 2], 'baseline'),
      row('lora', [3, 4], [1, 2], 'undecided', 2),
      row('bitfit', [5], [1], 'undecided', 2),
      row('head', [], [1], 'worse'),
    ];
    const more = plansForMoreSeeds(rows, runs);
    expect(brief(more)).toEqual(['full 3', 'full 4', 'lora 3', 'lora 4', 'bitfit 2', 'bitfit 3']);
    expect([more.seeds, more.methods]).toEqual([2, ['lora', 'bitfit']]);
    expect(more.plans.every((p) => p.training.learningRate === 0.002)).toBe(true);
  });

  it('counts what is on the way and queues nothing twice', () => {
    const rows = [row('full', [1], [1], 'baseline'), row('lora', [2], [1], 'undecided', 2)];
    const runs = [
      run(6, 'full', 2, { state: 'running' }),
      run(5, 'lora', 2, { state: 'queued' }),
      run(1, 'full', 1),
      run(2, 'lora', 1),
    ];
    expect(brief(plansForMoreSeeds(rows, runs))).toEqual(['full 3', 'lora 3']);
    const all = [run(8, 'lora', 3, { state: 'queued' }), run(7, 'full', 3, { state: 'queued' }), ...runs];
    expect(plansForMoreSeeds(rows, all)).toEqual({ plans: [], seeds: 0, methods: [] });
  });

  it('names model and data, since a plan from the command line may hold a folder', () => {
    const fromFolder = run(9, 'lora', 1, { plan: { ...run(9, 'lora', 1).plan, model: '/models/x' } });
    expect(plansForMoreSeeds([row('lora', [9], [1], 'undecided', 1)], [fromFolder]).plans[0]?.model).toBe('Starter');
  });

  it('asks for nothing when all is decided', () => {
    expect(
      plansForMoreSeeds(
        [row('full', [1], [1], 'baseline'), row('lora', [2], [1], 'worse')],
        [run(1, 'full', 1), run(2, 'lora', 1)],
      ).plans,
    ).toEqual([]);
  });
});

it('queues the baseline on every seed of the others, at its own rate', () => {
  const full: MethodInfo = {
    type: 'full',
    title: 'Full fine-tuning',
    marker: 'diamond',
    colour: 'cat-ref',
    summary: '',
    family: 'lora',
    help: '',
    searches: false,
    optionsSchema: {},
    defaults: { type: 'full' },
    learningRate: 5e-5,
    exports: ['onnx'],
  };
  const plans = plansForBaseline([run(4, 'lora', 3), run(3, 'lora', 1), run(2, 'bitfit', 1)], full);
  expect(plans.map((p) => [p.method.type, p.training.seed, p.training.learningRate])).toEqual([
    ['full', 1, 5e-5],
    ['full', 3, 5e-5],
  ]);
});

describe('words', () => {
  const comparison: Comparison = {
    dataset: 'tickets',
    model: 'Starter',
    testRows: 1225,
    objective: 'classification',
    measure: 'macroF1',
    zone: 1,
    method: '95 % t intervals over 2 seeds.',
    notes: ['A note.'],
    sentences: [
      { kind: 'undecided', text: 'Cannot tell.' },
      { kind: 'within', text: 'LoRA within.' },
      { kind: 'undecided', text: 'Nor here.' },
    ],
    rows: [row('full', [1], [1, 2], 'baseline'), row('lora', [2], [1, 2], 'undecided', 2)],
  };
  it('groups sentences of a kind, what holds first', () => {
    expect(groupSentences(comparison.sentences)).toEqual([
      { kind: 'within', texts: ['LoRA within.'] },
      { kind: 'undecided', texts: ['Cannot tell.', 'Nor here.'] },
    ]);
  });
  it('names the zone in the verdict', () => {
    expect(verdictTitle('within', 1, 'macroF1')).toBe('Within 1 point of full fine-tuning');
    expect(verdictTitle('within', 0.5, 'accuracy')).toBe('Within 0.5 points of full fine-tuning');
    expect(verdictTitle('within', 2, 'perplexity')).toBe('Within 2 % of full fine-tuning');
    expect(verdictCell(row('lora', [], [], 'within'), { zone: 2, measure: 'macroF1' })).toBe('Within 2 points');
    expect(verdictCell(row('lora', [], [], 'undecided'), { zone: 1, measure: 'macroF1' })).toBe('Cannot tell yet');
  });
  it('says the whole comparison as text with intervals and how they were made', () => {
    const text = comparisonText(comparison);
    expect(text).toContain(
      'lora, default: macro F1 90.0 (89.0 to 91.0) %, difference \u22120.4 (\u22121.9 to +1.1) points; trains 10 (1.00 %); 400 ms a step; peak 578 MB; 2 seeds. lora text',
    );
    expect(text.endsWith('95 % t intervals over 2 seeds.\nA note.')).toBe(true);
  });
  it('exports as many cells as columns, unrounded', () => {
    const table = comparisonTable(comparison);
    expect(table.rows.every((r) => r.length === table.columns.length)).toBe(true);
    expect(table.rows[1]?.[table.columns.indexOf('difference, points 95% low')]).toBe(-1.9);
  });
  it('adds the setting to a name only where a method stands with several', () => {
    const rows = [
      { ...row('lora', [], [], 'worse'), setting: 'r 8' },
      { ...row('lora', [], [], 'worse'), setting: 'r 16' },
      row('head', [], [], 'worse'),
    ];
    expect(rows.map((r) => rowName(r, rows))).toEqual(['lora r 8', 'lora r 16', 'head']);
  });
});
