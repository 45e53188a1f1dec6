/** One quantity over steps in a low strip: learning rate, memory, speed. */
import type { ChartOption, Tip } from '../../../electron/charting/chart-option.js';
import type { ChartTable } from '../../../electron/charting/csv.js';
import { base, scene, xAxis, yAxis } from '../../../electron/charting/options/common.js';
import { areaOf, at, group, line, text } from '../../../electron/charting/options/shapes.js';
import type { Palette } from '../../../electron/charting/palette.js';
import { bounded, nearest, niceStep, type Sample } from '../../../electron/charting/series.js';
import { number } from '../../state/format.js';
import { t } from '../../language.js';

export interface SmallInput {
  readonly title: string;
  readonly unit: string;
  readonly points: readonly Sample[];
  /** What is still to come, dashed: the planned learning rate. */
  readonly planned: readonly Sample[];
  readonly xMax: number | null;
  readonly area: boolean;
  readonly limit: { readonly value: number; readonly label: string } | null;
  readonly format: (value: number) => string;
}

export function smallOption(input: SmallInput, palette: Palette): ChartOption {
  const ys = [...input.points, ...input.planned].map((s) => s.y ?? 0);
  const step = niceStep(
    Math.max(
      input.limit?.value ?? 0,
      ys.reduce((a, b) => Math.max(a, b), 0),
    ) * 1.05 || 1,
    2,
    [1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 8, 10],
  );
  // A scale without values would be made up.
  const empty = input.points.length === 0 && input.planned.length === 0;
  // Ticks are round numbers: "6 × 10⁻⁴" says as much as "6.0 × 10⁻⁴".
  const label = (v: number) => input.format(v).replace('.0 ', ' ');
  const xMax = Math.max(1, input.xMax ?? 0, input.points[input.points.length - 1]?.x ?? 0);
  const points = (samples: readonly Sample[]) => bounded(samples, 800).map(({ x, y }) => [x, y ?? '-']);
  return {
    ...base(palette),
    grid: {
      left: Math.max(58, Math.max(label(step).length, label(step * 2).length) * 6 + 10),
      right: 16,
      top: 12,
      bottom: 22,
    },
    xAxis: {
      ...xAxis(palette, {
        labels: {
          show: !empty || input.xMax !== null,
          formatter: (v) => number(Math.round(v)),
          alignMinLabel: 'left',
          alignMaxLabel: 'right',
        },
      }),
      min: 0,
      max: xMax,
      interval: xMax / 2,
    },
    yAxis: {
      type: 'value',
      ...yAxis(palette, { labels: { show: !empty, formatter: (v) => (v === 0 ? '0' : label(v)) } }),
      min: 0,
      max: step * 2,
      interval: step,
    },
    series: [
      {
        id: 'points',
        name: input.title,
        type: 'line',
        data: points(input.points),
        showSymbol: input.points.length === 1,
        symbolSize: 4,
        z: 3,
        lineStyle: { width: 1.6, color: palette.accent },
        itemStyle: { color: palette.accent },
        ...(input.area ? { areaStyle: { color: palette.accentWeak, opacity: 1 } } : {}),
        emphasis: { disabled: true },
      },
      {
        id: 'planned',
        name: t('planned'),
        type: 'line',
        data: points(input.planned),
        showSymbol: false,
        z: 2,
        lineStyle: { width: 1, color: palette.text3, type: [3, 3] },
        emphasis: { disabled: true },
      },
      {
        id: 'scene',
        ...scene,
        z: 4,
        renderItem: (params, api) => {
          const area = areaOf(params);
          const marks = [];
          if (input.limit) {
            const y = at(api, 0, input.limit.value)[1];
            marks.push(
              line(area.x, y, area.x + area.width, y, { colour: palette.text, dash: [4, 3] }),
              text(area.x + area.width, y + 9, input.limit.label, palette, { align: 'right', colour: palette.text }),
            );
          }
          const middle = input.planned[Math.floor(input.planned.length * 0.6)];
          if (middle && middle.y !== null && input.planned.length > 2) {
            const [x, y] = at(api, middle.x, middle.y);
            if (area.x + area.width - x > 50) marks.push(text(x + 4, y - 12, t('planned'), palette, { align: 'left' }));
          }
          return marks.length ? group(marks) : null;
        },
      },
    ],
  };
}

/** What is told at a step under the pointer. */
export function smallTip(input: SmallInput, x: number): Tip | null {
  const sample = input.points[nearest(input.points, x)];
  if (!sample || sample.y === null) return null;
  const value = `${input.format(sample.y)}${input.unit ? ` ${input.unit}` : ''}`;
  return { title: t('Step {x}', { x: number(sample.x) }), lines: [{ name: input.title, value }] };
}

export function smallSummary(input: SmallInput): string {
  const last = input.points.findLast((s) => s.y !== null);
  if (!last || last.y === null) return t('{title} by step. No value yet.', { title: input.title });
  const peak = input.points.reduce((a, s) => Math.max(a, s.y ?? 0), 0);
  return t('{title} by step: {value} {unit} at step {x}, highest {peak}.', {
    title: input.title,
    value: input.format(last.y),
    unit: input.unit,
    x: number(last.x),
    peak: input.format(peak),
  });
}
export function smallTable(input: SmallInput): ChartTable {
  return {
    columns: [t('Step'), input.unit ? `${input.title}, ${input.unit}` : input.title],
    rows: input.points.map((s) => [s.x, s.y]),
  };
}
