/** A plan of every method, for tests that run over all of them. */
import type { MethodSpec } from '../../electron/engine/index.js';

/** Methods over finished adapters need some. */
const composed: Readonly<Record<string, MethodSpec>> = {
  stack: { type: 'stack', adapters: [{ type: 'lora' }, { type: 'ia3' }], top: { type: 'lora', rank: 2 } },
  fusion: { type: 'fusion', adapters: [{ type: 'bottleneck' }, { type: 'compacter', placement: 'pfeiffer' }] },
};

/** The shortest spec that a method takes. */
export const specOf = (type: string): MethodSpec => composed[type] ?? { type };
