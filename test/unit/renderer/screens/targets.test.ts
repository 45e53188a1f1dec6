import { describe, expect, it } from 'vitest';
import type { MapGroup } from '../../../../electron/contract/index.js';
import {
  chosenModules,
  countsOf,
  targetsFor,
  targetWords,
  toggled,
  type MapModule,
} from '../../../../renderer/screens/models/targets.js';

const module = (path: string, label: string, added: boolean): MapModule => ({
  path,
  label,
  linear: true,
  tensors: [
    { name: `${path}.weight`, shape: [4, 4], state: 'frozen' },
    ...(added ? [{ name: `${path}.lora_A.weight`, shape: [2, 4], state: 'added' as const }] : []),
  ],
});
/** Two layers as BERT has them: "output.dense" ends two paths of a layer. */
const map = (chosen: (path: string) => boolean): MapGroup[] =>
  [0, 1].map((layer) => ({
    kind: 'layer',
    name: `layer ${layer}`,
    modules: [
      ['attention.self.query', 'query'],
      ['attention.output.dense', 'attention.output.dense'],
      ['output.dense', 'output.dense'],
    ].map(([end, label]) => {
      const path = `bert.encoder.layer.${layer}.${end}`;
      return module(path, label as string, chosen(path));
    }),
  }));
const path = (layer: number, end: string) => `bert.encoder.layer.${layer}.${end}`;

describe('target modules', () => {
  it('are those with something added', () => {
    const drawn = map((it) => it.endsWith('query'));
    expect(chosenModules(drawn)).toEqual([path(0, 'attention.self.query'), path(1, 'attention.self.query')]);
    expect(targetWords(drawn)).toEqual(['query', 'attention.output.dense', 'output.dense']);
  });

  it.each([
    ['one label for a module in every layer', ['query'], ['query']],
    ['a label that matches more only where all of it is chosen', ['output.dense'], 'paths'],
    ['a label for both', ['attention.output.dense', 'output.dense'], ['attention.output.dense', 'output.dense']],
  ] as const)('state %s', (_, ends, expected) => {
    const drawn = map(() => false);
    const chosen = new Set(
      [0, 1].flatMap((layer) => ends.map((end) => path(layer, end === 'query' ? 'attention.self.query' : end))),
    );
    expect(targetsFor(drawn, chosen)).toEqual(
      expected === 'paths' ? [path(0, 'output.dense'), path(1, 'output.dense')] : expected,
    );
  });

  it('follow a click in every layer, or in one', () => {
    const drawn = map((it) => it.endsWith('query'));
    const query = drawn[0]?.modules[0] as MapModule;
    const chosen = new Set(chosenModules(drawn));
    expect(toggled(drawn, chosen, query, false).size).toBe(0);
    expect(targetsFor(drawn, toggled(drawn, chosen, query, true))).toEqual([path(1, 'attention.self.query')]);
    const dense = drawn[1]?.modules[1] as MapModule;
    expect(targetsFor(drawn, toggled(drawn, chosen, dense, false))).toEqual(['query', 'attention.output.dense']);
  });
});

it('counts parameters by what becomes of them', () => {
  expect(countsOf([module('a', 'a', true), module('b', 'b', false)])).toEqual({ frozen: 32, trained: 0, added: 8 });
});
