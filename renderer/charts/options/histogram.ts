/** How long rows are in tokens, and what a maximum length would cut. */
import type { ChartOption, Tip } from '../../../electron/charting/chart-option.js';
import type { ChartTable } from '../../../electron/charting/csv.js';
import { base, scene, xAxis, yAxis } from '../../../electron/charting/options/common.js';
import { areaOf, at, group, line, rect, target, text } from '../../../electron/charting/options/shapes.js';
import type { Palette } from '../../../electron/charting/palette.js';
import { niceStep } from '../../../electron/charting/series.js';
import { compact } from '../../../electron/charting/values.js';
import { number } from '../../state/format.js';
import { t } from '../../language.js';

export interface HistogramInput {
  /** `bins[i]` counts rows with length in [edges[i], edges[i + 1]). */
  readonly edges: readonly number[];
  readonly bins: readonly number[];
  /** Rows longer than this lose text; null draws no line. */
  readonly cutAt: number | null;
  /** Words beside the line: "cut-off 128: 94.0 % whole". */
  readonly cutLabel: string;
}

/** Diagonal strokes inside a rectangle as one path: the sign of what is lost, readable without colour. */
export function hatch(x: number, y: number, width: number, height: number, gap = 5): string {
  let path = '';
  for (let c = gap; c < width + height; c += gap) {
    const [x1, y1] = c <= height ? [x, y + c] : [x + c - height, y + height];
    const [x2, y2] = c <= width ? [x + c, y] : [x + width, y + c - width];
    path += `M${x1.toFixed(1)} ${y1.toFixed(1)}L${x2.toFixed(1)} ${y2.toFixed(1)}`;
  }
  return path;
}

/**
 * The x axis with a last bin that reaches far beyond the others drawn as wide as they are: a few long rows do not press the rest together.
 * `x` maps a length to its place on the axis.
 */
export function lengthAxis(edges: readonly number[]): {
  max: number;
  broken: boolean;
  lastStart: number;
  x: (length: number) => number;
} {
  const end = Math.max(edges[edges.length - 1] ?? 1, 1),
    lastStart = edges[edges.length - 2] ?? 0;
  const width = (edges[1] ?? end) - (edges[0] ?? 0);
  const broken = edges.length > 2 && end - lastStart > width * 1.5;
  if (!broken) return { max: end, broken, lastStart, x: (length) => length };
  return {
    max: lastStart + width,
    broken,
    lastStart,
    x: (length) =>
      length <= lastStart ? length : lastStart + Math.min(1, (length - lastStart) / (end - lastStart)) * width,
  };
}

export function histogramOption(input: HistogramInput, palette: Palette): ChartOption {
  const { edges, bins, cutAt } = input;
  const axis = lengthAxis(edges);
  const max = axis.max;
  const most = bins.reduce((a, b) => Math.max(a, b), 0);
  const step = niceStep(most || 1, 2);
  const left = Math.max(40, compact(step * Math.ceil(most / step)).length * 7 + 14);
  return {
    ...base(palette),
    grid: { left, right: 18, top: 30, bottom: 40 },
    xAxis: {
      ...xAxis(palette, {
        name: t('tokens in a row'),
        labels: { formatter: (v) => number(v), showMaxLabel: !axis.broken && max % 8 === 0 },
      }),
      min: 0,
      max,
      interval: max <= 40 ? niceStep(max, 5) : 2 ** Math.ceil(Math.log2(max / 6)),
    },
    yAxis: {
      type: 'value',
      ...yAxis(palette, { unit: t('rows'), unitShift: 8 - left, labels: { formatter: compact } }),
      min: 0,
      max: step * Math.max(1, Math.ceil(most / step)),
      interval: step,
    },
    series: [
      {
        id: 'points',
        type: 'custom',
        z: 2,
        clip: true,
        encode: { x: 0, y: 1 },
        data: bins.map((count, i) => [(axis.x(edges[i] ?? 0) + axis.x(edges[i + 1] ?? 0)) / 2, count]),
        renderItem: (params, api) => {
          const i = params.dataIndex;
          const area = areaOf(params);
          const [from, to] = [edges[i] ?? 0, edges[i + 1] ?? 0];
          const [x0, y] = at(api, axis.x(from), bins[i] ?? 0);
          const x1 = at(api, axis.x(to), 0)[0],
            floor = area.y + area.height;
          const gap = x1 - x0 > 4 ? 0.5 : 0;
          const cut = cutAt === null ? x1 : Math.min(x1, Math.max(x0, at(api, axis.x(cutAt + 1), 0)[0]));
          const [a, b, height] = [x0 + gap, x1 - gap, floor - y];
          const parts = [target(x0, area.y, x1 - x0, area.height)];
          if (height > 0 && cut > a) parts.push(rect(a, y, Math.min(b, cut) - a, height, palette.bar));
          if (height > 0 && b > cut) {
            const start = Math.max(a, cut);
            parts.push(
              {
                type: 'rect',
                silent: true,
                shape: { x: start, y, width: b - start, height },
                style: { fill: palette.warnWeak, stroke: palette.warn, lineWidth: 0.6 },
              },
              {
                type: 'path',
                silent: true,
                shape: { pathData: hatch(start, y, b - start, height) || 'M0 0' },
                style: { fill: 'none', stroke: palette.warn, lineWidth: 1.4 },
              },
            );
          }
          return group(parts);
        },
      },
      {
        id: 'cut',
        ...scene,
        z: 4,
        renderItem: (params, api) => {
          const area = areaOf(params);
          const floor = area.y + area.height;
          const gap = at(api, axis.lastStart, 0)[0];
          const parts =
            axis.broken && gap < area.x + area.width
              ? [
                  line(gap - 4, floor + 4, gap, floor - 4, { colour: palette.text3, width: 1.3 }),
                  line(gap, floor + 4, gap + 4, floor - 4, { colour: palette.text3, width: 1.3 }),
                  text(
                    area.x + area.width,
                    floor + 13,
                    t('to {edges}', { edges: number((edges[edges.length - 1] ?? 1) - 1) }),
                    palette,
                    {
                      align: 'right',
                    },
                  ),
                ]
              : [];
          if (cutAt === null) return group(parts);
          const x = at(api, axis.x(cutAt + 1), 0)[0];
          if (cutAt + 1 > (edges[edges.length - 1] ?? 1) || x > area.x + area.width + 0.5 || x < area.x)
            return group([
              ...parts,
              text(area.x + area.width, area.y - 8, input.cutLabel, palette, { colour: palette.text, align: 'right' }),
            ]);
          const onRight = x + 150 < area.x + area.width;
          return group([
            ...parts,
            line(x, area.y - 8, x, area.y + area.height, { colour: palette.text, width: 1.5, dash: [4, 3] }),
            text(onRight ? x + 6 : x - 6, area.y + 2, input.cutLabel, palette, {
              colour: palette.text,
              align: onRight ? 'left' : 'right',
            }),
          ]);
        },
      },
    ],
  };
}

/** What is told of a bin under the pointer. */
export function histogramTip({ edges, bins }: HistogramInput, index: number): Tip | null {
  const count = bins[index];
  if (count === undefined) return null;
  const first = edges[index] ?? 0;
  const last = Math.max(first, (edges[index + 1] ?? 0) - 1);
  return {
    title: t('{first} to {last} tokens', { first: number(first), last: number(last) }),
    lines: [{ name: t('rows'), value: number(count) }],
  };
}

export function histogramSummary(input: HistogramInput): string {
  const rows = input.bins.reduce((a, b) => a + b, 0);
  const peak = input.bins.indexOf(input.bins.reduce((a, b) => Math.max(a, b), 0));
  return rows === 0
    ? t('Length in tokens. No rows.')
    : t('Length in tokens of {rows} rows; most have {low} to {high}.{cut}', {
        rows: number(rows),
        low: number(input.edges[peak] ?? 0),
        high: number(Math.max(0, (input.edges[peak + 1] ?? 1) - 1)),
        cut: input.cutAt === null ? '' : ` ${input.cutLabel}.`,
      });
}
export function histogramTable(input: HistogramInput): ChartTable {
  return {
    columns: [t('From, tokens'), t('To, tokens'), t('Rows')],
    rows: input.bins.map((count, i) => [
      input.edges[i] ?? 0,
      Math.max(input.edges[i] ?? 0, (input.edges[i + 1] ?? 0) - 1),
      count,
    ]),
  };
}
