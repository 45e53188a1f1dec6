import { describe, expect, it } from 'vitest';
import { trainingSchema } from '../../../electron/contract/plan.js';
import { fits, remediesFor } from '../../../electron/trainer/remedies.js';

const training = trainingSchema.parse({ batchSize: 32 });
const base = { training, onCpu: true, trainedShare: 1, limited: false, availableMemoryBytes: 2e9, longestTokens: 128 };

describe('fits', () => {
  it('leaves a twentieth free', () => {
    expect([fits(0.94e9, 1e9), fits(0.96e9, 1e9)]).toEqual([true, false]);
  });
});

describe('remediesFor', () => {
  it('names an accumulation and a batch that fit by the measured line', () => {
    const memory = { fixed: 1e9, perRow: 0.1e9, peak: 1e9 + 31 * 0.1e9 };
    const remedies = remediesFor({ ...base, memory, ceiling: 2e9 });
    // 0.9 GB of room over the first row are nine rows more: 10 rows a micro-batch, so four micro-batches of 8.
    expect(remedies[0]).toContain('accumulationSteps 4');
    expect(remedies[0]).toContain('1.70 GB');
    expect(remedies[1]).toContain('10 rows');
    expect(remedies.join(' ')).toContain('maxLength to 64');
    expect(remedies.join(' ')).toContain('LoRA');
    expect(remedies.at(-1)).toContain('2.00 GB are free');
    const micro = Math.ceil(32 / 4);
    expect(fits(memory.fixed + memory.perRow * (micro - 1), 2e9)).toBe(true);
  });

  it('does not offer a smaller batch where one row is already too much', () => {
    const remedies = remediesFor({
      ...base,
      trainedShare: 0.01,
      memory: { fixed: 3e9, perRow: 1e8, peak: 6e9 },
      ceiling: 2e9,
      limited: true,
    });
    expect(remedies.join(' ')).not.toMatch(/accumulationSteps|batch of/);
    expect(remedies.join(' ')).not.toContain('Choose LoRA');
    expect(remedies.at(-1)).toContain('Raise the memory limit');
  });

  it('offers what saves memory at the cost of time, where it does and is not taken already', () => {
    const short = { memory: { fixed: 3e9, perRow: 1e8, peak: 6e9 }, ceiling: 2e9 };
    const told = (more: object) => remediesFor({ ...base, ...short, trainedShare: 0.01, ...more }).join(' ');
    const saving = trainingSchema.parse({ packWeights: false, gradientCheckpointing: true });
    expect(told({})).toMatch(/packWeights to false.*gradientCheckpointing to true/);
    expect(told({ onCpu: false })).not.toContain('packWeights');
    expect(told({ trainedShare: 1 })).not.toContain('packWeights');
    expect(told({ training: saving })).not.toMatch(/packWeights|gradientCheckpointing/);
  });
});
