import { describe, expect, it } from 'vitest';
import { askedPlanSchema, matrixSchema } from '../../../../electron/contract/index.js';
import type { BaseModel, Dataset, MethodInfo } from '../../../../electron/contract/index.js';
import { PlanDraft } from '../../../../renderer/screens/models/draft.svelte.js';
import { takePlan } from '../../../../renderer/screens/models/take.js';

// As much of each as is read here.
const known = {
  methods: ['full', 'lora', 'head'].map((type) => ({ type, learningRate: 0.01, defaults: { type, bias: 'none' } })),
  models: [{ id: 4, name: 'Starter', folder: '/models/starter' }],
  datasets: [{ id: 7, name: 'rows', task: 'classification', form: null, rows: { train: 8, validation: 2, test: 2 } }],
} as unknown as { methods: MethodInfo[]; models: BaseModel[]; datasets: Dataset[] };

describe('a plan from a file', () => {
  it('fills in the form, which asks for the same again', () => {
    const draft = new PlanDraft();
    const matrix = matrixSchema.parse({
      model: '/models/starter',
      data: 'rows',
      methods: [{ type: 'lora', rank: 4 }, { type: 'head' }],
      seeds: [3, 5],
      training: { epochs: 1, batchSize: 4, learningRate: 0.02 },
      overrides: { head: { learningRate: 0.5 } },
      device: 'cpu',
    });
    expect(takePlan(draft, matrix, known)).toEqual({ missing: [], unheld: [] });
    const [model, dataset] = [known.models[0], known.datasets[0]];
    if (!model || !dataset) throw new Error('there are both');
    const asked = draft.matrix(model, dataset);
    expect(asked).toMatchObject({
      model: 'Starter',
      seeds: [3, 5],
      methods: [
        { type: 'lora', rank: 4, bias: 'none' },
        { type: 'head', bias: 'none' },
      ],
      training: { epochs: 1, batchSize: 4 },
      overrides: { lora: { learningRate: 0.02 }, head: { learningRate: 0.5 } },
      device: 'cpu',
    });
    expect(matrixSchema.safeParse(asked).success).toBe(true);
    expect(draft.shown).toBe('lora');
  });

  it('names what the project lacks and what the form has no place for', () => {
    const draft = new PlanDraft();
    draft.modelId = 4;
    const plan = askedPlanSchema.parse({
      model: 'Other',
      data: 'elsewhere',
      method: { type: 'fusion' },
      training: { seed: 9 },
      watch: {},
      readTest: false,
    });
    const { missing, unheld } = takePlan(draft, plan, known);
    expect(missing).toEqual(['the base model Other', 'the data set elsewhere']);
    expect(unheld).toEqual(['method', 'watch', 'readTest']);
    expect(draft.modelId).toBe(4);
    expect(draft.seedText).toBe('9');
    expect(draft.selected).toEqual([]);
  });

  it('misses an override only where it plays a part', () => {
    const unheld = (override: object) =>
      takePlan(
        new PlanDraft(),
        matrixSchema.parse({
          model: 'Starter',
          data: 'rows',
          methods: [{ type: 'lora' }],
          seeds: [1],
          overrides: { lora: override },
        }),
        known,
      ).unheld;
    expect(unheld({ learningRate: 0.5, mlmProbability: 0.2 })).toEqual([]);
    expect(unheld({ batchSize: 4 })).toEqual(['overrides.lora']);
  });
});
