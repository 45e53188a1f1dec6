/** The options drawn for real by ECharts on its SVG side, and read. */
import { SVGRenderer } from 'echarts/renderers';
import { use } from 'echarts/core';
import { describe, expect, it } from 'vitest';
import type { ChartOption } from '../../../electron/charting/chart-option.js';
import { paletteTokens, type Palette } from '../../../electron/charting/palette.js';
import { init } from '../../../renderer/charts/echarts.js';
import { hatch, histogramOption, histogramSummary, lengthAxis } from '../../../renderer/charts/options/histogram.js';
import { lineOption, lineSummary, lineTable, lineTip, type LineInput } from '../../../renderer/charts/options/line.js';
import { smallOption } from '../../../renderer/charts/options/small.js';

use([SVGRenderer]);
const colours = Object.fromEntries(
  Object.keys(paletteTokens).map((name, i) => [name, `rgb(${i},${i},${i})`]),
) as Record<keyof typeof paletteTokens, string>;
const palette: Palette = {
  ...colours,
  font: 'sans-serif',
  size: 11,
  method: (token) => `rgb(200,0,${Number(token.at(-1)) || 0})`,
};
const size = { width: 640, height: 320 };

function draw(option: ChartOption): { texts: string[]; svg: string } {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  // Nothing moves, for anybody: who asks for less motion needs no charts of their own.
  expect(option.animation).toBe(false);
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return {
    svg,
    texts: [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((m) => (m[1] ?? '').replaceAll('&amp;', '&')),
  };
}

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
    expect(lineTip(line, 101)?.lines).toContainEqual({ name: 'validation at 100', value: '0.610 (0.550 to 0.660)' });
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
