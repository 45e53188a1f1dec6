/** The options that reports and the window share, drawn for real and read. */
import { describe, expect, it } from 'vitest';
import {
  forestOption,
  forestScale,
  forestSummary,
  forestTable,
  forestTip,
  type ForestRow,
} from '../../../electron/charting/options/forest.js';
import {
  costScale,
  paretoFront,
  paretoOption,
  paretoTable,
  paretoTip,
  type ParetoPoint,
} from '../../../electron/charting/options/pareto.js';
import { valueRange } from '../../../electron/charting/scale.js';
import { unitWords } from '../../../electron/charting/units.js';
import { draw, palette, size } from './draw.js';

const row = (name: string, mean: number | null, low: number | null, high: number | null): ForestRow => ({
  key: name,
  name,
  look: { colour: 'cat-1', marker: 'circle' },
  mean,
  low,
  high,
  verdict: 'Worse',
});
const forest = [
  row('LoRA', -0.2, -0.7, 0.3),
  row('BitFit', -1.2, -1.7, -0.7),
  row('Prefix', -3, -4, -2.1),
  row('Head only', -12.4, -13.5, -11.3),
];

describe('forest plot', () => {
  it('writes each difference with its interval and marks what lies beyond the scale', () => {
    const { texts } = draw(
      forestOption({ rows: forest, zone: 1, unit: 'points', axis: 'macro F1, points', highlight: null }, palette),
    );
    expect(texts).toContain('\u22120.2  [\u22120.7, +0.3]');
    expect(texts).toContain('\u221212.4  [\u221213.5, \u221211.3]');
    expect(texts.filter((t) => t === 'beyond the scale')).toHaveLength(1);
    expect(texts).toContain('within \u00b1 1.0 point');
    const input = { rows: forest, zone: 1, unit: 'points', axis: 'macro F1, points', highlight: null };
    expect(forestTip(input, 1)).toEqual({
      title: 'BitFit',
      lines: [
        { name: 'difference, points', value: '\u22121.2  [\u22121.7, \u22120.7]' },
        { name: 'verdict', value: 'Worse' },
      ],
    });
    expect(texts.filter((t) => t === '0')).toHaveLength(1);
  });

  it('tells differences of perplexity in percent', () => {
    const input = { rows: forest, zone: 1, unit: '%', axis: 'perplexity, %', highlight: null } as const;
    expect(draw(forestOption(input, palette)).texts).toContain('within \u00b1 1.0 %');
    expect(forestTable(input).columns).toContain('Difference, %');
  });

  it('keeps labels apart where perplexities lie thousands of percent apart', () => {
    const far = [
      row('LoRA', -2140.3, -4012.7, -267.9),
      row('Prefix', -9873.2, -15_021.4, -4725),
      row('IA3', -812, null, null),
    ];
    const { svg, texts } = draw(
      forestOption({ rows: far, zone: 1, unit: '%', axis: 'perplexity, %', highlight: null }, palette),
    );
    expect(texts).toContain('\u22122,140  [\u22124,013, \u2212267]');
    const placed = [...svg.matchAll(/text-anchor="(\w+)"[^>]* x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</g)].map(
      ([, anchor, x, y, text = '']) => {
        const width = text.length * 5.8;
        const from = Number(x) - (anchor === 'end' ? width : anchor === 'middle' ? width / 2 : 0);
        return { text, y, from, to: from + width };
      },
    );
    expect(placed.length).toBeGreaterThan(10);
    for (const one of placed)
      for (const other of placed)
        if (one !== other && one.y === other.y && one.from <= other.from)
          expect(one.to, `${one.text} beside ${other.text}`).toBeLessThan(other.from);
  });

  it('does not let one far method press the others together, and shows all where they lie close', () => {
    expect(forestScale(forest, 1)).toEqual({ min: -5, max: 1.5 });
    const near = forestScale([row('A', -3, -4, -2), row('B', -2.5, -3, -2)], 1);
    expect(near.min).toBeLessThanOrEqual(-4);
    expect(forestScale([], 1)).toEqual({ min: -1.5, max: 1.5 });
  });

  it('says that a run of one seed or without a baseline has no interval', () => {
    const rows = [row('LoRA', -0.4, null, null), row('BitFit', null, null, null)];
    const { texts } = draw(
      forestOption({ rows, zone: 1, unit: 'points', axis: 'macro F1, points', highlight: 'LoRA' }, palette),
    );
    expect(texts).toContain('\u22120.4  one seed');
    expect(texts).toContain('no baseline');
    expect(forestSummary({ rows, zone: 1, unit: 'points', axis: 'macro F1, points', highlight: null })).toContain(
      'LoRA \u22120.4  one seed: Worse.',
    );
    expect(forestTable({ rows, zone: 1, unit: 'points', axis: 'macro F1, points', highlight: null }).rows[1]).toEqual([
      'BitFit',
      null,
      null,
      null,
      'Worse',
    ]);
  });
});

const point = (name: string, trained: number, mean: number): ParetoPoint => ({
  key: name,
  name,
  look: { colour: 'cat-2', marker: 'star' },
  x: trained,
  mean,
  low: mean - 1,
  high: mean + 1,
  baseline: name === 'Full fine-tuning',
});
const axes = {
  x: { title: 'trained parameters', ...unitWords('count'), unit: '', log: true },
  y: { title: 'macro F1', ...unitWords('percent'), unit: '%', share: true },
};
const points = [
  point('Full fine-tuning', 22_713_216, 91.8),
  point('LoRA', 147_456, 91.6),
  point('Prefix', 92_160, 88.8),
  point('BitFit', 26_112, 90.6),
  point('Head only', 0, 79.4),
];

describe('Pareto plot', () => {
  it('has the lower perplexity above the higher, written without a sign', () => {
    const mirrored = [point('LoRA', 100, -12), point('Full fine-tuning', 1000, -8)];
    const input = { points: mirrored, ...axes, highlight: null, mirrored: true };
    expect(paretoFront(mirrored).map(({ name }) => name)).toEqual(['LoRA', 'Full fine-tuning']);
    expect(valueRange(mirrored, { mirrored: true, share: false }).max).toBeLessThanOrEqual(0);
    expect(paretoTable(input).rows[0]).toEqual(['LoRA', 100, 12, 11, 13]);
    expect(paretoTip(input, 0)?.lines[0]?.value).toBe('12.0 % (11.0 % to 13.0 %)');
  });

  it('keeps in the front what no other beats', () => {
    expect(paretoFront(points).map((p) => p.name)).toEqual(['Head only', 'BitFit', 'LoRA', 'Full fine-tuning']);
  });

  it('lets no interval of two seeds set the scale', () => {
    const wide = { ...point('Full fine-tuning', 1000, 91), low: 20, high: 100 };
    const range = valueRange([wide, point('LoRA', 100, 89)], { share: true });
    expect(range.min).toBeGreaterThanOrEqual(85);
    expect(range.max).toBeLessThanOrEqual(96);
  });

  it('breaks the axis for a method that trains nothing, and only then', () => {
    const broken = costScale(points, true),
      whole = costScale(
        points.filter((p) => p.x > 0),
        true,
      );
    expect(broken.x(0)).toBeLessThan(broken.x(26_112) - 0.5);
    expect(broken.min).toBeLessThan(broken.x(0));
    expect(whole.zero).toBeNull();
    expect(whole.ticks).toEqual([1e5, 1e6, 1e7]);
    expect(draw(paretoOption({ points, ...axes, highlight: null }, palette, size)).texts).toEqual(
      expect.arrayContaining([
        '0',
        '100 k',
        '10 M',
        'LoRA',
        'Head only',
        'trained parameters, logarithmic after the break',
      ]),
    );
  });
});
