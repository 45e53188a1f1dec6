/** Layers below everything that trains are computed once a text: the same training, whatever else stands in a batch. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createTrainer,
  frozenPartOf,
  openModel,
  type Batch,
  type MethodSpec,
  type ObjectiveSpec,
  type TrainerOptions,
} from '../../../electron/engine/index.js';
import { trainerOptions } from '../../helpers/conformance.js';
import { oracleFolder } from '../../helpers/oracle.js';

const classes: ObjectiveSpec = { type: 'classification', labels: ['a', 'b', 'c'] };
const top: MethodSpec = { type: 'lora', rank: 2, targetModules: '.*layers?\\.1\\..*(query|v_proj)', dropout: 0.1 };
const optionsOf = async (
  architecture: string,
  method: MethodSpec,
  more: Partial<TrainerOptions> = {},
): Promise<TrainerOptions> =>
  trainerOptions(await openModel(join(oracleFolder, 'models', architecture)), method, classes, {
    modelDropout: 0,
    ...more,
  });

/** Texts of these lengths, each a function of its number. */
function batchOf(texts: readonly { readonly number: number; readonly length: number }[]): Batch {
  const sequence = Math.max(...texts.map(({ length }) => length));
  const cells = texts.flatMap(({ number, length }) =>
    Array.from({ length: sequence }, (_, i) => (i < length ? 5 + ((number * 13 + i * 7) % 40) : 0)),
  );
  return {
    size: texts.length,
    sequence,
    inputIds: Int32Array.from(cells),
    tokenTypeIds: new Int32Array(cells.length),
    attentionMask: Int32Array.from(cells, (id) => (id === 0 ? 0 : 1)),
    labels: Int32Array.from(texts, ({ number }) => number % 3),
    weights: null,
  };
}
const texts = Array.from({ length: 9 }, (_, number) => ({ number, length: 3 + (number % 4) }));
const [first, second] = [batchOf(texts.slice(0, 5)), batchOf(texts.slice(4))];

describe('finds the layers', () => {
  it.each<[string, MethodSpec, Partial<TrainerOptions>, object | null]>([
    ['bert', { type: 'head' }, {}, { layers: 2, rowFloats: 32, perText: true }],
    ['bert', top, {}, { layers: 1, rowFloats: 32, perText: false }],
    ['llama', { type: 'head' }, { modelDropout: null }, { layers: 2, perText: true }],
    [
      'bert',
      { type: 'head' },
      { objective: { type: 'token-classification', labels: ['O', 'B-x'] } },
      { perText: false },
    ],
    // Its own dropout is on.
    ['bert', { type: 'head' }, { modelDropout: null }, null],
    ['bert', { type: 'head' }, { modelDropout: 0.1 }, null],
    ['bert', { type: 'lora' }, {}, null],
    ['bert', { type: 'full' }, {}, null],
    ['bert', { type: 'bitfit' }, {}, null],
    ['bert', { type: 'prompt', numVirtualTokens: 2 }, {}, null],
    // Texts are masked or packed anew in each step.
    ['bert', top, { objective: { type: 'masked-lm' } }, null],
    ['llama', top, { objective: { type: 'causal-lm' } }, null],
  ])('%s by %j, %j', async (architecture, method, more, wanted) => {
    const found = frozenPartOf(await optionsOf(architecture, method, more));
    if (wanted === null) expect(found).toBeNull();
    else expect(found).toMatchObject(wanted);
  });
});

describe.each([
  ['bert', { type: 'head' }],
  ['bert', top],
  ['distilbert', { type: 'mixer', layersToTransform: [1] }],
  ['llama', { type: 'head' }],
  ['gpt2', { type: 'lora', rank: 2, targetModules: '.*h\\.1\\..*c_attn', dropout: 0 }],
] as const)('%s by %j', (architecture, method) => {
  const course = async (keepFrozenBytes: number, batches: readonly (readonly Batch[])[]) => {
    const trainer = await createTrainer(await optionsOf(architecture, method, { keepFrozenBytes }));
    const numbers: number[] = [];
    for (const step of batches) numbers.push((await trainer.step(step, 1e-2)).loss);
    const { logits } = await trainer.evaluate(second);
    const kept = trainer.keptBytes ?? 0;
    await trainer.dispose();
    return { numbers: [...numbers, ...logits], kept };
  };

  it('trains and answers as without', async () => {
    const steps = [[first], [first, second], [second], [first]];
    const [without, once, crowded] = [await course(0, steps), await course(1e6, steps), await course(200, steps)];
    expect([without.kept, once.kept > 200, crowded.kept <= 200]).toEqual([0, true, true]);
    once.numbers.forEach((value, i) => expect(value).toBeCloseTo(without.numbers[i] as number, 4));
    // Kept or computed anew, to the last bit.
    expect(crowded.numbers).toEqual(once.numbers);
  });

  it('gives a text the same, to the last bit, whatever else stood in the batch that it was first seen in', async () => {
    const trainer = await createTrainer(await optionsOf(architecture, method, { keepFrozenBytes: 1e6 }));
    for (const text of texts) await trainer.keep?.(batchOf([text]));
    const alone = (await trainer.step([first, second], 1e-2)).loss;
    await trainer.dispose();
    expect(alone).toBe((await course(1e6, [[first, second]])).numbers[0]);
  });
});
