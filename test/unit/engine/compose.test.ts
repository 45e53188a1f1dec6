import { expect, describe, it } from 'vitest';
import {
  composeAdapters,
  composedMethod,
  validateMethod,
  type NamedTensors,
  type WeightedAdapter,
} from '../../../electron/engine/index.js';

const isHead = (name: string) => name.startsWith('classifier.');
const addLoras = (parts: readonly WeightedAdapter[], how: 'cat' | 'linear' = 'cat', head?: number) =>
  composeAdapters({ kind: 'add', how, ...(head === undefined ? {} : { head }) }, parts, isHead);
const averageAdapters = (parts: readonly WeightedAdapter[], head?: number) =>
  composeAdapters({ kind: 'average', ...(head === undefined ? {} : { head }) }, parts, isHead);

const tensor = (shape: readonly number[], from: number) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, d) => a * d, 1) }, (_, i) => from + i / 8),
});

function lora(
  rank: number,
  from: number,
  weight: number,
  more: Readonly<Record<string, unknown>> = {},
): WeightedAdapter {
  const parameters: NamedTensors = new Map([
    ['q.lora_A.weight', tensor([rank, 3], from)],
    ['q.lora_B.weight', tensor([2, rank], -from)],
    ['classifier.bias', tensor([2], from)],
  ]);
  return { method: { type: 'lora', rank, alpha: 2 * rank, ...more }, parameters, weight };
}

/** s·B·A as rows. */
function updateOf({ method, parameters }: Pick<WeightedAdapter, 'method' | 'parameters'>): number[] {
  const [a, b] = [parameters.get('q.lora_A.weight'), parameters.get('q.lora_B.weight')];
  if (!a || !b) throw new Error('no pair');
  const [rank, columns] = a.shape as [number, number];
  const rows = b.shape[0] as number;
  const scale = Number(method['alpha']) / Number(method['rank']);
  const at = (data: Float32Array, i: number) => data[i] as number;
  return Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += at(b.data, row * rank + k) * at(a.data, k * columns + column);
    return scale * sum;
  });
}

describe('addLoras', () => {
  it('adds and takes away exactly the updates, whatever the ranks', () => {
    const [one, two] = [lora(1, 1, 0.5), lora(2, 2, -2)];
    const sum = addLoras([one, two]);
    expect(sum.method).toEqual({ type: 'lora', rank: 3, alpha: 3 });
    const expected = updateOf(one).map((value, i) => 0.5 * value - 2 * (updateOf(two)[i] as number));
    updateOf(sum).forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 4));
  });

  it('takes itself away to nothing', () => {
    const sum = addLoras([lora(2, 1, 1), lora(2, 1, -1)]);
    for (const value of updateOf(sum)) expect(value).toBeCloseTo(0, 5);
  });

  it('keeps the head that was asked for', () => {
    const parts = [lora(1, 1, 1), lora(1, 5, 1)];
    expect(addLoras(parts).parameters.get('classifier.bias')?.data[0]).toBe(1);
    expect(addLoras(parts, 'cat', 1).parameters.get('classifier.bias')?.data[0]).toBe(5);
    expect(() => addLoras(parts, 'cat', 2)).toThrow(/no adapter 3/);
  });

  it('scales by each adapter’s own options', () => {
    const plain = addLoras([lora(4, 1, 1), lora(4, 2, 1)]);
    const stable = addLoras([lora(4, 1, 1, { useRslora: true }), lora(4, 2, 1, { useRslora: true })]);
    updateOf(stable).forEach((value, i) => expect(value).toBeCloseTo(2 * (updateOf(plain)[i] as number), 3));
  });

  it.each([
    [[lora(1, 1, 1)], /needs at least two/],
    [[lora(1, 1, 1), lora(1, 1, Number.NaN)], /weight of NaN/],
    [[lora(1, 1, 0), lora(1, 1, 1)], /weight of 0/],
    [[lora(1, 1, 1), { ...lora(1, 1, 1), method: { type: 'ia3' } }], /Adapter 2: "ia3" adds no low-rank update/],
  ])('refuses what cannot be added (%#)', (parts, message) => {
    expect(() => addLoras(parts as WeightedAdapter[])).toThrow(message);
  });

  it('refuses other layers, DoRA, other bases and, in linear, other ranks', () => {
    const one = lora(2, 1, 1);
    const other = (change: (p: NamedTensors) => void): WeightedAdapter => {
      const two = lora(2, 2, 1);
      change(two.parameters);
      return two;
    };
    expect(() =>
      addLoras([
        one,
        other((p) => p.set('k.lora_A.weight', tensor([2, 3], 1)).set('k.lora_B.weight', tensor([2, 2], 1))),
      ]),
    ).toThrow(/Adapter 2 and adapter 1 do not both act on k/);
    expect(() => addLoras([one, other((p) => p.set('q.lora_magnitude_vector', tensor([2], 1)))])).toThrow(/DoRA/);
    expect(() => addLoras([one, other((p) => p.set('q.lora_A.weight', tensor([2, 5], 1)))])).toThrow(
      /other widths at q/,
    );
    expect(() => addLoras([one, lora(1, 1, 1)], 'linear')).toThrow(
      /q\.lora_A\.weight is \[2, 3\] in adapter 1 and is \[1, 3\] in adapter 2/,
    );
  });
});

describe('averageAdapters', () => {
  const adapter = (from: number, weight: number, more: Readonly<Record<string, unknown>> = {}): WeightedAdapter => ({
    method: { type: 'bottleneck', ...more },
    parameters: new Map([['a.task.adapter_up.weight', tensor([2, 2], from)]]),
    weight,
  });
  const up = (parts: readonly WeightedAdapter[]) =>
    averageAdapters(parts).parameters.get('a.task.adapter_up.weight')?.data;

  it('is the weighted mean of every tensor', () => {
    expect([...(up([adapter(0, 1), adapter(8, 3)]) ?? [])]).toEqual([6, 6.125, 6.25, 6.375]);
    expect(averageAdapters([adapter(0, 1), adapter(8, 3, { dropout: 0.1 })]).method).toEqual(
      validateMethod({ type: 'bottleneck' }),
    );
  });

  it('of LoRAs is the mean of their updates and of their heads', () => {
    const [one, two] = [lora(1, 1, 1), lora(2, 3, 3)];
    const mean = averageAdapters([one, two]);
    const expected = updateOf(one).map((value, i) => 0.25 * value + 0.75 * (updateOf(two)[i] as number));
    updateOf(mean).forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 4));
    expect(mean.parameters.get('classifier.bias')?.data[0]).toBe(2.5);
  });

  it('refuses other options, other tensors, and weights that cancel out', () => {
    expect(() => up([adapter(0, 1), adapter(0, 1, { placement: 'houlsby' })])).toThrow(/Adapter 2 has other options/);
    const strange = { ...adapter(0, 1), parameters: new Map([['b', tensor([1], 0)]]) };
    expect(() => up([adapter(0, 1), strange])).toThrow(/is missing in adapter 2/);
    expect(() => up([adapter(0, 1), adapter(1, -1)])).toThrow(/add up to 0/);
  });

  it('takes one head where labels differ', () => {
    const other = lora(1, 5, 1);
    other.parameters.set('classifier.bias', tensor([4], 5));
    expect(() => averageAdapters([lora(1, 1, 1), other])).toThrow(
      /classifier\.bias is \[2\] in adapter 1 and is \[4\]/,
    );
    expect(averageAdapters([lora(1, 1, 1), other], 1).parameters.get('classifier.bias')?.shape).toEqual([4]);
  });
});

describe('what takes finished adapters', () => {
  const parts = [1, 2].map((from) => ({ ...lora(1, from, 1), name: `run ${from}` }));

  it('stacks them by marks, with one of their heads', () => {
    const { method, parameters } = composeAdapters({ kind: 'stack', head: 1 }, parts, isHead);
    expect(method).toMatchObject({ type: 'stack', adapters: [{ type: 'lora' }, { type: 'lora' }], top: null });
    expect([...parameters.keys()]).toEqual([
      'q.lora_A.weight@1',
      'q.lora_B.weight@1',
      'q.lora_A.weight@2',
      'q.lora_B.weight@2',
      'classifier.bias',
    ]);
    expect(parameters.get('classifier.bias')?.data[0]).toBe(2);
  });

  it('gives a fusion no head', () => {
    expect(composeAdapters({ kind: 'fusion' }, parts, isHead).parameters.has('classifier.bias')).toBe(false);
  });

  it('names runs in what it refuses', () => {
    const dora = { ...lora(1, 1, 1), name: 'run 7' };
    dora.parameters.set('q.lora_magnitude_vector', tensor([2], 1));
    expect(() => composedMethod({ kind: 'add' }, [parts[0] as WeightedAdapter, dora], isHead)).toThrow(/Run 7: DoRA/);
  });
});
