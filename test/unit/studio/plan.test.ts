/** Refusals of plans: every one names the key's path and what is allowed. */
import { describe, expect, it } from 'vitest';
import { StudioError } from '../../../electron/contract/errors.js';
import { expandMatrix, namesOf, parseMatrix, parsePlan } from '../../../electron/studio/plan.js';

const plan = {
  model: 'Starter',
  data: 'rows',
  objective: 'classification',
  method: { type: 'lora', rank: 8, alpha: 16, dropout: 0, targetModules: ['query', 'value'] },
  training: { epochs: 1, batchSize: 16 },
  device: 'auto',
};

function refusal(
  value: unknown,
  parse: (value: unknown) => unknown = parsePlan,
): { message: string; hint: string | null } {
  try {
    parse(value);
  } catch (error) {
    if (error instanceof StudioError && error.code === 'bad-input') return { message: error.message, hint: error.hint };
    throw error;
  }
  throw new Error('was not refused');
}

describe('a plan', () => {
  it('is filled in with the defaults of plan and method', () => {
    expect(parsePlan(plan)).toMatchObject({
      training: {
        epochs: 1,
        batchSize: 16,
        maxSteps: null,
        learningRate: 0.001,
        schedule: 'linear',
        seed: 1,
        modelDropout: null,
      },
      device: 'auto',
    });
    expect(parsePlan({ model: 'm', data: 'd', method: { type: 'bottleneck' } }).method).toMatchObject({
      type: 'bottleneck',
      reductionFactor: expect.any(Number) as number,
      placement: expect.any(String) as string,
    });
  });

  it.each([
    ['an unknown key', { ...plan, traning: {} }, 'traning', 'training'],
    [
      'an unknown key of the training',
      { ...plan, training: { learningrate: 0.1 } },
      'training.learningrate',
      'learningRate',
    ],
    ['a value below its range', { ...plan, training: { batchSize: 0 } }, 'training.batchSize', '1'],
    ['a value above its range', { ...plan, training: { warmupRatio: 1.5 } }, 'training.warmupRatio', '1'],
    ['a value of another kind', { ...plan, training: { epochs: 'three' } }, 'training.epochs', 'number'],
    ['a choice that is none', { ...plan, training: { optimizer: 'adam' } }, 'training.optimizer', 'adamw'],
    ['a missing key', { data: 'rows', method: { type: 'lora' } }, 'model', ''],
    ['not a number', { ...plan, training: { learningRate: Number.NaN } }, 'training.learningRate', ''],
    ['an unknown method', { ...plan, method: { type: 'telepathy' } }, 'method.type', 'lora'],
    ['an option of the method out of range', { ...plan, method: { type: 'lora', rank: 0 } }, 'method.rank', '1'],
    ['an unknown option of the method', { ...plan, method: { type: 'lora', rnk: 4 } }, 'rnk', ''],
    ['something else altogether', [1, 2], 'plan', 'object'],
  ])('with %s is refused', (_, value, path, allowed) => {
    const { message, hint } = refusal(value);
    expect(message).toContain(path);
    expect(`${message} ${hint ?? ''}`).toContain(allowed);
  });
});

describe('a matrix', () => {
  const matrix = {
    model: 'm',
    data: 'd',
    methods: [{ type: 'full' }, { type: 'lora', rank: 2 }],
    seeds: [1, 2, 3],
    training: { epochs: 2, learningRate: 0.001 },
    overrides: { full: { learningRate: 0.0001 } },
  };

  it('is one plan a method and seed, with the overrides of its type only', () => {
    const plans = expandMatrix(parseMatrix(matrix));
    expect(
      plans.map(({ method, training }) => [method.type, training.seed, training.learningRate, training.epochs]),
    ).toEqual([
      ['full', 1, 0.0001, 2],
      ['full', 2, 0.0001, 2],
      ['full', 3, 0.0001, 2],
      ['lora', 1, 0.001, 2],
      ['lora', 2, 0.001, 2],
      ['lora', 3, 0.001, 2],
    ]);
  });

  it('names which method is wrong', () => {
    expect(
      refusal({ ...matrix, methods: [{ type: 'full' }, { type: 'lora', rank: -1 }] }, parseMatrix).message,
    ).toContain('methods.1.rank');
    expect(refusal({ ...matrix, seeds: [] }, parseMatrix).message).toContain('seeds');
    expect(refusal({ ...matrix, overrides: { full: { lr: 1 } } }, parseMatrix).message).toContain('overrides.full.lr');
  });
});

it('names a method and its setting apart', () => {
  expect(namesOf({ method: { type: 'lora', rank: 8, targetModules: ['query', 'value'] }, verbalizer: null })).toEqual({
    methodName: 'LoRA',
    setting: 'r 8, query value',
  });
  const parts = [
    { from: 3, weight: 1, name: '' },
    { from: '/exports/old', weight: -0.5, name: '' },
  ];
  const composition = { kind: 'add', how: 'cat', head: 0, parts } as const;
  expect(namesOf({ method: { type: 'lora', rank: 4 }, composition, verbalizer: null }).setting).toBe(
    'r 4, run 3 − 0.5 × old',
  );
});
