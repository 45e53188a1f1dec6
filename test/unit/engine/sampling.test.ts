import { describe, expect, it } from 'vitest';
import { greedy, nextToken } from '../../../electron/engine/runtime/sampling.js';

const probabilities = [0.05, 0.4, 0.3, 0.15, 0.1];
const logits = Float32Array.from(probabilities, Math.log);

/** How often each token comes of evenly spread draws, in percent. */
function shares(options: Partial<Parameters<typeof nextToken>[2]>, text: readonly number[] = []): number[] {
  const counts = new Array<number>(logits.length).fill(0);
  for (let i = 0; i < 2000; i++) counts[nextToken(logits, text, { ...greedy, ...options }, (i + 0.5) / 2000)]! += 1;
  return counts.map((count) => count / 20);
}

describe('nextToken', () => {
  it('takes the likeliest at temperature 0, the first of equals', () => {
    expect(nextToken(logits, [], greedy, 0.99)).toBe(1);
    expect(nextToken(Float32Array.of(1, 3, 3), [], greedy, 0.99)).toBe(1);
  });

  it('draws by probability, sharpened or flattened by the temperature', () => {
    expect(shares({ temperature: 1 })).toEqual([5, 40, 30, 15, 10]);
    const sum = probabilities.reduce((total, p) => total + p * p, 0);
    shares({ temperature: 0.5 }).forEach((share, token) =>
      expect(share).toBeCloseTo((100 * (probabilities[token] as number) ** 2) / sum, 0),
    );
  });

  it('keeps the k likeliest, and those tied with the last of them', () => {
    expect(shares({ temperature: 1, topK: 1 })).toEqual([0, 100, 0, 0, 0]);
    expect(shares({ temperature: 1, topK: 2 }).map(Math.round)).toEqual([0, 57, 43, 0, 0]);
    const ties = Float32Array.of(2, 1, 1, 0);
    const tokens = new Set(
      Array.from({ length: 50 }, (_, i) => nextToken(ties, [], { ...greedy, temperature: 1, topK: 2 }, i / 50)),
    );
    expect(tokens).toEqual(new Set([0, 1, 2]));
  });

  it('keeps the likeliest until their sum reaches p, of what k left', () => {
    expect(shares({ temperature: 1, topP: 0.41 }).map(Math.round)).toEqual([0, 57, 43, 0, 0]);
    expect(shares({ temperature: 1, topP: 0.39 })).toEqual([0, 100, 0, 0, 0]);
    // Of 0.4 and 0.3 the first holds 57 %.
    expect(shares({ temperature: 1, topK: 2, topP: 0.56 })).toEqual([0, 100, 0, 0, 0]);
  });

  it('finds the likeliest among far smaller ones', () => {
    const wide = Float32Array.from({ length: 1000 }, (_, i) => -i);
    expect(nextToken(wide, [], { ...greedy, temperature: 1000, topK: 40 }, 0.999)).toBe(39);
    expect(nextToken(wide, [], { ...greedy, temperature: 1e-3, topP: 0.9 }, 0.999)).toBe(0);
  });

  it('makes tokens of the text less likely, whatever the sign of their logit', () => {
    expect(nextToken(Float32Array.of(1, 2, 1.5), [1], { ...greedy, repetitionPenalty: 1.5 }, 0)).toBe(2);
    expect(nextToken(Float32Array.of(-1, -2, -1.2), [0, 0], { ...greedy, repetitionPenalty: 1.5 }, 0)).toBe(2);
    expect(shares({ temperature: 1, repetitionPenalty: 1 }, [1])).toEqual([5, 40, 30, 15, 10]);
  });
});
