import { describe, expect, it } from 'vitest';
import { planSchema } from '../../../electron/contract/plan.js';
import { settingKey } from '../../../electron/contract/setting.js';

const run = (training: object = {}, method: object = { type: 'lora', rank: 8, alpha: 16 }, modelId = 1) => ({
  modelId,
  datasetId: 1,
  plan: planSchema.parse({ model: 'a', data: 'b', method, training }),
});

describe('settingKey', () => {
  it('is the same for runs that differ in seed, in how often they save, or in the order of their options', () => {
    const key = settingKey(run({ seed: 1 }));
    expect(settingKey(run({ seed: 2, checkpointEverySteps: 5 }))).toBe(key);
    expect(settingKey(run({}, { alpha: 16, type: 'lora', rank: 8 }))).toBe(key);
  });

  it.each([
    ['training', run({ maxSteps: 5 })],
    ['method', run({}, { type: 'lora', rank: 4, alpha: 16 })],
    ['base model', run({}, undefined, 2)],
  ])('differs with the %s', (_what, other) => {
    expect(settingKey(other)).not.toBe(settingKey(run()));
  });
});
