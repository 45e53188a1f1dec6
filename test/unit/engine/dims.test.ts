import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDims,
  broadcastShapes,
  evaluateDim,
  multiplyDims,
  subtractDims,
  type Dim,
} from '../../../electron/engine/graph/dims.js';

const sizes = { batch: 3, sequence: 7 };
const dim: fc.Arbitrary<Dim> = fc.letrec<{ dim: Dim }>((tie) => ({
  dim: fc.oneof(
    { maxDepth: 3 },
    fc.integer({ min: 0, max: 9 }),
    fc.constantFrom('batch', 'sequence'),
    fc.tuple(tie('dim'), tie('dim')).map(([a, b]) => addDims(a, b)),
    fc.tuple(tie('dim'), tie('dim')).map(([a, b]) => multiplyDims(a, b)),
  ),
})).dim;

describe('symbolic dimensions', () => {
  it('computes like numbers do', () => {
    fc.assert(
      fc.property(dim, dim, (a, b) => {
        expect(evaluateDim(addDims(a, b), sizes)).toBe(evaluateDim(a, sizes) + evaluateDim(b, sizes));
        expect(evaluateDim(multiplyDims(a, b), sizes)).toBe(evaluateDim(a, sizes) * evaluateDim(b, sizes));
        expect(evaluateDim(subtractDims(a, b), sizes)).toBe(evaluateDim(a, sizes) - evaluateDim(b, sizes));
      }),
    );
  });

  it('gives equal dimensions equal text', () => {
    fc.assert(
      fc.property(dim, dim, dim, (a, b, c) => {
        expect(multiplyDims(a, addDims(b, c))).toBe(addDims(multiplyDims(c, a), multiplyDims(b, a)));
        expect(subtractDims(addDims(a, b), b)).toBe(a);
      }),
    );
  });

  it('broadcasts as NumPy does, and says so where it cannot', () => {
    expect(broadcastShapes(['batch', 1, 4], [5, 1])).toEqual(['batch', 5, 4]);
    expect(broadcastShapes(['batch'], ['sequence'])).toBeNull();
  });
});
