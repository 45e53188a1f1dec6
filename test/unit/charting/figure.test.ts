/** Figures of a report as charts: what each draws, tells and holds. */
import { describe, expect, it } from 'vitest';
import { chartOf } from '../../../electron/charting/figure.js';
import { curveScale } from '../../../electron/charting/options/curves.js';
import { shades } from '../../../electron/charting/options/heat-map.js';
import type { ReportFigure } from '../../../electron/contract/index.js';
import { everyFigure } from '../../fixtures/reports/every-figure.js';
import { draw, palette, size } from './draw.js';

const looks = (type: string) => ({ colour: type === 'full' ? 'cat-ref' : 'cat-1', marker: 'circle' as const });
const figure = (id: string): ReportFigure => {
  const found = everyFigure.figures.find((one) => one.id === id);
  if (!found) throw new Error(`The example has no figure ${id}.`);
  return found;
};
const chart = (id: string) => chartOf(figure(id), looks);
const drawn = (id: string) => draw(chart(id).option(palette, size));

describe('curves', () => {
  it('name each curve at its end and each measured size below the axis, by its logarithm', () => {
    const { texts, svg } = drawn('learning-curves');
    expect(texts).toEqual(
      expect.arrayContaining(['8', '16', '32', '210', 'LoRA', 'IA3', 'examples a class, logarithmic', 'macro F1, %']),
    );
    expect(svg.match(/opacity="0.14"/g)).toHaveLength(4);
    const log = curveScale({ series: [], x: { title: '', log: true, tick: String, places: null } });
    expect(log.log).toBe(false);
  });

  it('draw whiskers in place of bands that would hide each other', () => {
    const curves = figure('learning-curves');
    if (curves.kind !== 'curves') throw new Error('not curves');
    const many = { ...curves, series: [...curves.series, ...curves.series] };
    expect(draw(chartOf(many, looks).option(palette, size)).svg).not.toContain('opacity="0.14"');
  });

  it('stand over names where the places are no numbers', () => {
    expect(drawn('sequence').texts).toEqual(expect.arrayContaining(['before', 'topics', 'news', 'loss, nats']));
    expect(chart('sequence').table.rows[0]?.[1]).toBe('before');
    expect(chart('sequence').summary).toContain('LoRA: 2.41 nats at before, 2.63 nats');
  });

  it('tell the point under the pointer, over all curves', () => {
    expect(chart('learning-curves').tip(5)).toMatchObject({ title: 'LoRA', lines: [{ value: '16' }, {}] });
    expect(chart('learning-curves').tip(99)).toBeNull();
  });

  it('hold every point and both ends of its interval', () => {
    const { table } = chart('learning-curves');
    expect(table.rows).toHaveLength(4 * 4);
    expect(table.rows.slice(0, 4).map((row) => row[1])).toEqual([8, 16, 32, 210]);
    expect(table.rows[0]?.[3]).toBeLessThan(Number(table.rows[0]?.[2]));
  });
});

describe('heat map', () => {
  it('shades the same distance from the middle alike on both sides', () => {
    const shade = shades({ middle: 0, rows: [{ key: 'a', name: 'a', look: null, values: [6, -3, 0.1, null] }] });
    expect([6, 3.9, 1.5, 0.1, -1.5, -3.9, -6].map(shade)).toEqual([
      'better3',
      'better2',
      'better1',
      'equal',
      'worse1',
      'worse2',
      'worse3',
    ]);
    const plain = shades({ middle: null, rows: [{ key: 'a', name: 'a', look: null, values: [2, 8] }] });
    expect([plain(2), plain(8)]).toEqual(['amount1', 'amount7']);
  });

  it('writes each number in its cell, signed about zero, and a dash where there is none', () => {
    const { texts } = drawn('transfer');
    expect(texts).toEqual(
      expect.arrayContaining(['+2.2', '\u22123.4', '\u2013', 'worse, \u22125.8 points', '+5.8 points, better']),
    );
    expect(drawn('confusions').texts).toEqual(expect.arrayContaining(['91.0', '54.0']));
    expect(chart('transfer').tip(0)).toEqual({
      title: 'Full fine-tuning',
      lines: [{ name: 'topics', value: 'not measured' }],
    });
  });
});

it('has the lower perplexity above the higher, written without a sign', () => {
  const cost = figure('cost');
  if (cost.kind !== 'pareto') throw new Error('not a pareto plot');
  const points = cost.points.map((point, i) => ({ ...point, y: 8 + i, interval: { low: 7 + i, high: 9 + i } }));
  const told = chartOf({ ...cost, y: { title: 'Test perplexity', unit: 'number', log: false }, points }, looks);
  expect(told.table.rows[0]).toEqual(['Full fine-tuning', 22_713_216, 8, 7, 9]);
  expect(told.tip(0)?.lines[0]).toEqual({ name: 'Test perplexity', value: '8.00 (7.00 to 9.00)' });
  expect(draw(told.option(palette, size)).texts.filter((words) => words.startsWith('\u2212'))).toEqual([]);
});

it('every figure says in words what it shows', () => {
  for (const one of everyFigure.figures) {
    const { summary, table } = chartOf(one, looks);
    expect(summary.length, one.id).toBeGreaterThan(60);
    expect(table.rows.length, one.id).toBeGreaterThan(0);
    expect(summary, one.id).not.toMatch(/undefined|NaN|Infinity/);
  }
});

it('a forest plot in points and a cost in bytes carry their units', () => {
  expect(drawn('forest').texts).toContain('macro F1 against full fine-tuning, points');
  expect(drawn('memory').texts).toEqual(expect.arrayContaining(['500 MB', 'peak memory']));
  expect(chart('memory').tip(0)?.lines[1]).toEqual({ name: 'peak memory', value: '1.37 GB' });
});
