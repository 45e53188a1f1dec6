import { afterEach, describe, expect, it, vi } from 'vitest';
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

describe('settings that play no part', () => {
  afterEach(() => vi.unstubAllGlobals());
  const search = { ...method('prompt-search', 1e-3), searches: true };
  function draft(): PlanDraft {
    const made = new PlanDraft();
    made.offer([method('full', 5e-5), method('lora', 5e-4), search]);
    made.change('full', { selected: false });
    return made;
  }
  const questions: Dataset = { ...dataset, id: 2, name: 'questions', task: 'questions' };
  const texts: Dataset = { ...dataset, id: 3, name: 'texts', task: 'generation', form: 'text' };

  it('are kept by the form and not sent, and are sent again once they do', () => {
    const made = draft();
    made.setTraining('windowStride', 32);
    made.setTraining('classWeights', 'balanced');
    made.setTraining('batchSize', 4);
    expect(made.matrix(model, dataset).training).toMatchObject({
      windowStride: 64,
      classWeights: 'balanced',
      batchSize: 4,
    });
    // The start refuses weights where there are no classes.
    expect(made.matrix(model, questions).training).toMatchObject({ windowStride: 32, classWeights: null });
    expect(made.plan('lora', model, questions, 1)?.training).toMatchObject({ windowStride: 32, classWeights: null });
    expect(made.training).toMatchObject({ windowStride: 32, classWeights: 'balanced' });
  });

  it('of one method are sent for the others alone', () => {
    const made = draft();
    made.change('prompt-search', { selected: true });
    made.setTraining('optimizer', 'sgd');
    made.setTraining('classWeights', { a: 2, b: 1 });
    const matrix = made.matrix(model, dataset);
    expect(matrix.overrides).toEqual({
      lora: { learningRate: 5e-4 },
      'prompt-search': { learningRate: 1e-3, optimizer: 'adamw' },
    });
    expect(matrix.training).toMatchObject({ optimizer: 'sgd', classWeights: { a: 2, b: 1 } });
    made.change('lora', { selected: false });
    expect(made.matrix(model, dataset).training?.optimizer).toBe('adamw');
  });

  it('of plain texts are those of both language models until the base was counted', () => {
    const made = draft();
    made.setTraining('mlmProbability', 0.3);
    made.setTraining('packing', false);
    made.setTraining('exactMatchRows', 5);
    expect(made.chosen(texts).objectives).toEqual(['causal-lm', 'masked-lm']);
    expect(made.matrix(model, texts).training).toMatchObject({
      mlmProbability: 0.3,
      packing: false,
      exactMatchRows: 100,
    });
  });

  it('of plain texts are those of what the base model was counted for, while that model is chosen', async () => {
    const value = { trainable: 1, total: 2, head: 0, groups: [], stages: [], objective: 'causal-lm' };
    vi.stubGlobal('window', { studio: { call: () => Promise.resolve({ ok: true, value }) } });
    const made = draft();
    [made.modelId, made.datasetId] = [model.id, texts.id];
    made.setTraining('mlmProbability', 0.3);
    await made.count('lora');
    expect(made.chosen(texts).objectives).toEqual(['causal-lm']);
    expect(made.plan('lora', model, texts, 1)?.training?.mlmProbability).toBe(0.15);
    made.modelId = 9;
    expect(made.chosen(texts).objectives).toEqual(['causal-lm', 'masked-lm']);
  });
});
