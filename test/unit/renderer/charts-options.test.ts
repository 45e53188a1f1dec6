/** The options drawn for real by ECharts on its SVG side, and read. */
import { SVGRenderer } from 'echarts/renderers';
import { use } from 'echarts/core';
import { describe, expect, it } from 'vitest';
import { init, type ChartOption } from '../../../renderer/charts/echarts.js';
import {
  forestOption,
  forestScale,
  forestSummary,
  forestTable,
  type ForestRow,
} from '../../../renderer/charts/options/forest.js';
import { hatch, histogramOption, histogramSummary, lengthAxis } from '../../../renderer/charts/options/histogram.js';
import { lineOption, lineSummary, lineTable, type LineInput } from '../../../renderer/charts/options/line.js';
import {
  decades,
  paretoFront,
  paretoOption,
  paretoTable,
  valueRange,
  type ParetoPoint,
} from '../../../renderer/charts/options/pareto.js';
import { smallOption } from '../../../renderer/charts/options/small.js';
import type { Palette } from '../../../renderer/charts/palette.js';

use([SVGRenderer]);
const names = [
  'text',
  'text2',
  'text3',
  'surface',
  'surfaceInset',
  'overlay',
  'border',
  'borderStrong',
  'grid',
  'accent',
  'accentWeak',
  'frozenEdge',
  'good',
  'warn',
  'warnWeak',
  'bad',
  'zone',
  'zoneEdge',
  'bar',
] as const;
const colours = Object.fromEntries(names.map((name, i) => [name, `rgb(${i},${i},${i})`])) as Record<
  (typeof names)[number],
  string
>;
const palette: Palette = {
  ...colours,
  font: 'sans-serif',
  size: 11,
  method: (token) => `rgb(200,0,${Number(token.at(-1)) || 0})`,
};
const size = { width: 640, height: 320 };

function draw(option: ChartOption): { texts: string[]; svg: string } {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return {
    svg,
    texts: [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((m) => (m[1] ?? '').replaceAll('&amp;', '&')),
  };
}

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
      forestOption({ rows: forest, zone: 1, unit: 'points', measure: 'macro F1', highlight: null }, palette),
    );
    expect(texts).toContain('\u22120.2  [\u22120.7, +0.3]');
    expect(texts).toContain('\u221212.4  [\u221213.5, \u221211.3]');
    expect(texts.filter((t) => t === 'beyond the scale')).toHaveLength(1);
    expect(texts).toContain('within \u00b1 1.0 point');
    expect(texts.filter((t) => t === '0')).toHaveLength(1);
  });

  it('tells differences of perplexity in percent', () => {
    const input = { rows: forest, zone: 1, unit: '%', measure: 'perplexity', highlight: null } as const;
    expect(draw(forestOption(input, palette)).texts).toContain('within \u00b1 1.0 %');
    expect(forestTable(input).columns).toContain('Difference, %');
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
      forestOption({ rows, zone: 1, unit: 'points', measure: 'macro F1', highlight: 'LoRA' }, palette),
    );
    expect(texts).toContain('\u22120.4  one seed');
    expect(texts).toContain('no baseline');
    expect(forestSummary({ rows, zone: 1, unit: 'points', measure: 'macro F1', highlight: null })).toContain(
      'LoRA \u22120.4  one seed: Worse.',
    );
    expect(forestTable({ rows, zone: 1, unit: 'points', measure: 'macro F1', highlight: null }).rows[1]).toEqual([
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
  trained,
  mean,
  low: mean - 1,
  high: mean + 1,
  baseline: name === 'Full fine-tuning',
});
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
    const input = { points: mirrored, measure: 'perplexity', highlight: null, mirrored: true };
    expect(paretoFront(mirrored).map(({ name }) => name)).toEqual(['LoRA', 'Full fine-tuning']);
    expect(valueRange(mirrored, true).max).toBeLessThanOrEqual(0);
    expect(paretoTable(input).rows[0]).toEqual(['LoRA', 100, 12, 11, 13]);
  });

  it('keeps in the front what no other beats', () => {
    expect(paretoFront(points).map((p) => p.name)).toEqual(['Head only', 'BitFit', 'LoRA', 'Full fine-tuning']);
  });

  it('lets no interval of two seeds set the scale', () => {
    const wide = { ...point('Full fine-tuning', 1000, 91), low: 20, high: 100 };
    const range = valueRange([wide, point('LoRA', 100, 89)]);
    expect(range.min).toBeGreaterThanOrEqual(85);
    expect(range.max).toBeLessThanOrEqual(96);
  });

  it('breaks the axis for a method that trains nothing, and only then', () => {
    const broken = decades(points),
      whole = decades(points.filter((p) => p.trained > 0));
    expect(broken.x(0)).toBeLessThan(broken.x(26_112) - 0.5);
    expect(broken.min).toBeLessThan(broken.x(0));
    expect(whole.zero).toBeNull();
    expect(whole.ticks).toEqual([5, 6, 7]);
    expect(draw(paretoOption({ points, measure: 'macro F1', highlight: null }, palette, size)).texts).toEqual(
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

const line: LineInput = {
  measure: 'Loss',
  unit: 'nats',
  train: Array.from({ length: 300 }, (_, i) => ({ x: i + 1, y: i === 40 ? null : 2 / (1 + i / 30) })),
  smoothOver: 20,
  validation: [
    { x: 100, y: 0.61, low: 0.55, high: 0.66 },
    { x: 200, y: 0.42, low: 0.36, high: 0.47 },
    { x: 300, y: 0.44, low: 0.38, high: 0.49 },
  ],
  best: { x: 200, y: 0.42 },
  others: [
    {
      name: 'seed 1',
      points: [
        { x: 100, y: 0.6 },
        { x: 300, y: 0.4 },
      ],
    },
  ],
  spans: [],
  now: 300,
  xMax: 600,
  log: false,
};

describe('line chart', () => {
  it('marks the best point, the present step and the other seeds', () => {
    const { texts } = draw(lineOption(line, palette, size));
    expect(texts).toEqual(expect.arrayContaining(['best: 0.420 at 200', 'now, 300', 'seed 1', 'step', 'nats', '600']));
  });

  it('names the stages of a run along its foot, those that are wide enough', () => {
    const spans = [
      { name: 'stage 1', from: 0, to: 250 },
      { name: 'stage 2', from: 250, to: 255 },
      { name: 'stage 3', from: 255, to: 600 },
    ];
    for (const log of [false, true]) {
      const { texts } = draw(lineOption({ ...line, spans, log }, palette, size));
      expect(texts.filter((words) => words.startsWith('stage'))).toEqual(['stage 1', 'stage 3']);
    }
  });

  it('ticks a logarithmic axis at 1, 2 and 5 and says that it is one', () => {
    const { texts } = draw(lineOption({ ...line, log: true }, palette, size));
    expect(texts).toEqual(expect.arrayContaining(['0.1', '0.2', '0.5', '1', '2', 'nats, logarithmic']));
  });

  it('shows a score in percent by the tens where it lies, not from zero', () => {
    const score = {
      ...line,
      measure: 'Macro F1',
      unit: '%',
      train: [],
      validation: [
        { x: 100, y: 83 },
        { x: 200, y: 91 },
      ],
      best: { x: 200, y: 91 },
      others: [],
      format: (v: number) => v.toFixed(0),
    };
    const { texts } = draw(lineOption(score, palette, size));
    expect(texts).toEqual(expect.arrayContaining(['80', '100', 'best: 91 at 200']));
    expect(texts).not.toContain('20');
  });

  it('draws before the first value and after a loss diverged', () => {
    const empty = { ...line, train: [], validation: [], best: null, others: [], now: 0 };
    expect(draw(lineOption(empty, palette, size)).texts).toContain('now, 0');
    expect(lineSummary(empty)).toBe('Loss by step. No value yet.');
    const diverged = {
      ...line,
      train: [
        { x: 1, y: 2 },
        { x: 2, y: null },
        { x: 3, y: Infinity },
      ],
      validation: [],
      best: null,
      others: [],
      log: true,
    };
    expect(draw(lineOption(diverged, palette, size)).svg).toContain('<svg');
  });

  it('tells the same values as a table and as a sentence', () => {
    const table = lineTable(line);
    expect(table.columns).toEqual(['Step', 'Loss, train', 'Loss, validation', 'seed 1']);
    expect(table.rows).toHaveLength(300);
    expect(table.rows[99]).toEqual([100, line.train[99]?.y, 0.61, 0.6]);
    expect(lineSummary(line)).toContain('Best 0.420 at step 200.');
  });
});

it('small line names its limit and its plan, from zero', () => {
  const { texts } = draw(
    smallOption(
      {
        title: 'Memory, MB',
        unit: '',
        points: [
          { x: 1, y: 540 },
          { x: 50, y: 560 },
        ],
        planned: [
          { x: 50, y: 560 },
          { x: 75, y: 300 },
          { x: 100, y: 0 },
        ],
        xMax: 100,
        area: true,
        limit: { value: 640, label: 'limit you set: 640 MB' },
        format: String,
      },
      palette,
    ),
  );
  expect(texts).toEqual(expect.arrayContaining(['0', '350', '700', 'limit you set: 640 MB', 'planned']));
});

describe('histogram', () => {
  const input = { edges: [0, 8, 16, 24, 32], bins: [10, 40, 20, 5], cutAt: 15, cutLabel: 'cut-off 15: 66.7 % whole' };
  it('hatches exactly the bins beyond the cut', () => {
    const marks = (cutAt: number | null) =>
      draw(histogramOption({ ...input, cutAt }, palette)).svg.split(`stroke="${palette.warn}"`).length - 1;
    expect(marks(15)).toBe(4);
    expect(marks(null)).toBe(0);
    expect(marks(23)).toBe(2);
    expect(draw(histogramOption(input, palette)).texts).toContain(input.cutLabel);
  });

  it('draws a last bin that reaches far as wide as the others, and says how far', () => {
    const axis = lengthAxis([0, 10, 20, 30, 900]);
    expect([axis.max, axis.x(30), axis.x(465), axis.x(900), axis.x(5000)]).toEqual([40, 30, 35, 40, 40]);
    expect(lengthAxis([0, 10, 20]).broken).toBe(false);
    const { texts } = draw(
      histogramOption(
        { edges: [0, 10, 20, 30, 900], bins: [1, 5, 3, 1], cutAt: 1024, cutLabel: 'cut-off 1024: 100.0 % whole' },
        palette,
      ),
    );
    expect(texts).toEqual(expect.arrayContaining(['to 899', 'cut-off 1024: 100.0 % whole']));
  });

  it('keeps every stroke of the hatch inside its bar', () => {
    const numbers = [...hatch(10, 20, 7, 33).matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(
      (m) => [Number(m[1]), Number(m[2])] as const,
    );
    expect(numbers.length).toBeGreaterThan(8);
    expect(numbers.every(([x, y]) => x >= 10 && x <= 17 && y >= 20 && y <= 53)).toBe(true);
  });

  it('says where most rows lie', () => {
    expect(histogramSummary(input)).toBe('Length in tokens of 75 rows; most have 8 to 15. cut-off 15: 66.7 % whole.');
    expect(histogramSummary({ ...input, bins: [0, 0, 0, 0] })).toBe('Length in tokens. No rows.');
  });
});
