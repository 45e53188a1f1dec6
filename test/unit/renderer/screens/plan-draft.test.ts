import { describe, expect, it } from 'vitest';
import { matrixSchema, planSchema } from '../../../../electron/contract/index.js';
import type { BaseModel, Dataset, MethodInfo } from '../../../../electron/contract/index.js';
import { parseSeeds, PlanDraft } from '../../../../renderer/screens/models/draft.svelte.js';

const method = (type: string, learningRate: number): MethodInfo => ({
  type,
  title: type,
  marker: 'circle',
  colour: 'cat-1',
  summary: '',
  family: 'lora',
  help: '',
  searches: false,
  optionsSchema: {},
  defaults: { type, ...(type === 'lora' ? { rank: 8 } : {}) },
  learningRate,
  exports: [],
});
const model: BaseModel = {
  id: 1,
  name: 'Starter',
  folder: '/m',
  architecture: 'bert',
  parameters: 1,
  layers: 4,
  hiddenSize: 2,
  vocabularySize: 3,
  maxLength: 4,
  bytes: 5,
  builtIn: true,
  addedAt: '',
  license: null,
};
const dataset: Dataset = {
  id: 1,
  projectId: 1,
  name: 'glosses',
  task: 'classification',
  form: null,
  source: '',
  textColumn: 't',
  pairColumn: null,
  labelColumn: 'l',
  rows: { train: 1, validation: 1, test: 1 },
  labels: ['a', 'b'],
  range: null,
  splitNote: '',
  skippedRows: 0,
  bytes: 0,
  createdAt: '',
  contentHash: '',
};

describe('parseSeeds', () => {
  it.each([
    ['1, 2, 3', [1, 2, 3]],
    ['1 to 5', [1, 2, 3, 4, 5]],
    ['7-9; 1', [7, 8, 9, 1]],
    ['2, 2', [2]],
    ['0', [0]],
  ])('"%s"', (text, seeds) => expect(parseSeeds(text)).toEqual(seeds));
  it.each(['', 'one', '1.5', '-1', '5 to 1', '1 to 1000', '4294967296'])('"%s" cannot be read', (text) =>
    expect(parseSeeds(text)).toBeNull(),
  );
});

describe('PlanDraft', () => {
  function draft(): PlanDraft {
    const made = new PlanDraft();
    made.offer([method('full', 5e-5), method('lora', 5e-4), method('head', 2e-3)]);
    return made;
  }

  it('chooses the baseline and LoRA at first', () =>
    expect(draft().selected.map(([type]) => type)).toEqual(['full', 'lora']));

  it('makes a matrix that the contract accepts, with a rate for each method', () => {
    const made = draft();
    made.seedText = '1 to 3';
    made.change('lora', { options: { type: 'lora', rank: 16 } });
    made.setTraining('epochs', 2);
    const matrix = matrixSchema.parse(made.matrix(model, dataset));
    expect(matrix).toMatchObject({
      model: 'Starter',
      data: 'glosses',
      seeds: [1, 2, 3],
      methods: [{ type: 'full' }, { type: 'lora', rank: 16 }],
      overrides: { full: { learningRate: 5e-5 }, lora: { learningRate: 5e-4 } },
    });
    expect(matrix.training.epochs).toBe(2);
  });

  it('makes a plan for a probe with the method’s own rate', () => {
    const plan = planSchema.parse(draft().plan('head', model, dataset, 9));
    expect(plan).toMatchObject({ method: { type: 'head' }, training: { learningRate: 2e-3, seed: 9 } });
  });

  it('keeps the last good value of a setting', () => {
    const made = draft();
    made.setTraining('batchSize', 0);
    expect(made.training.batchSize).toBe(16);
  });

  it('keeps the user’s options when methods are offered again', () => {
    const made = draft();
    made.change('head', { selected: true });
    made.offer([method('head', 1), method('bitfit', 1e-3)]);
    expect(made.methods.get('head')).toMatchObject({ selected: true, learningRate: 2e-3 });
    expect(made.methods.get('bitfit')?.selected).toBe(false);
  });

  it('blocks on seeds that cannot be read and on faulty fields', () => {
    const made = draft();
    expect(made.hasErrors).toBe(false);
    made.seedText = 'x';
    expect(made.hasErrors).toBe(true);
    made.seedText = '1';
    made.errors = { 'lora.rank': 'At least 1.' };
    expect(made.hasErrors).toBe(true);
  });
});
