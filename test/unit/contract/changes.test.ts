import { describe, expect, it } from 'vitest';
import { calls, matrixSchema } from '../../../electron/contract/index.js';

describe('a change holds only what it names', () => {
  it('settings.set fills in no defaults', () => {
    expect(calls['settings.set'].input.parse({ theme: 'dark' })).toEqual({ theme: 'dark' });
    expect(calls['settings.set'].input.safeParse({ thema: 'dark' }).success).toBe(false);
    expect(calls['settings.set'].input.safeParse({ theme: 'pink' }).success).toBe(false);
  });

  it('a method override in a matrix leaves the rest of the training section alone', () => {
    const matrix = matrixSchema.parse({
      model: 'm',
      data: 'd',
      methods: [{ type: 'lora' }],
      seeds: [1],
      training: { epochs: 7 },
      overrides: { lora: { learningRate: 0.002 } },
    });
    expect(matrix.overrides).toEqual({ lora: { learningRate: 0.002 } });
    expect(matrix.training.epochs).toBe(7);
  });
});
