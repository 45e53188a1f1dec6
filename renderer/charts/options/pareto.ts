/** Quality against the number of trained parameters: logarithmic, with a break where a method trains none. */
import { number } from '../../state/format.js';
import type { ChartOption } from '../echarts.js';
import { compact } from '../format.js';
import { placeLabels, type Box } from '../labels.js';
import type { MethodLook } from '../markers.js';
import type { Palette } from '../palette.js';
import { niceStep } from '../series.js';
import type { ChartTable } from '../csv.js';
import { areaOf, arrow, at, group, line, mark, polyline, rect, target, text } from './shapes.js';
import { base, insideZoom, itemTooltip, scene, tooltipNode, xAxis, yAxis, type Size } from './common.js';

export interface ParetoPoint {
  readonly key: string;
  readonly name: string;
  readonly look: MethodLook;
  readonly trained: number;
  /** Percent; of a mirrored plot below zero. */
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly baseline: boolean;
}
export interface ParetoInput {
  readonly points: readonly ParetoPoint[];
  /** "macro F1" */
  readonly measure: string;
  readonly highlight: string | null;
  /** Of a measure that is better the lower it is: values come below zero, so that up is better, and are written without the sign. */
  readonly mirrored?: boolean;
}

/** A value as it is written, with its unit. */
const written = ({ mirrored }: Pick<ParetoInput, 'mirrored'>, value: number): string =>
  mirrored ? number(Math.abs(value), 2) : `${number(value, 1)} %`;
const titleOf = ({ measure, mirrored }: ParetoInput) => (mirrored ? measure : `${measure}, %`);

/** Points that no other beats: more quality for no more trained parameters; fewest parameters first. */
export function paretoFront(points: readonly ParetoPoint[]): ParetoPoint[] {
  const front: ParetoPoint[] = [];
  for (const point of [...points].sort((a, b) => a.trained - b.trained || b.mean - a.mean))
    if (front.length === 0 || point.mean > (front[front.length - 1]?.mean ?? -Infinity)) front.push(point);
  return front;
}

/** The x axis in decades: zero stands half a decade and a gap left of the least trained method. */
export function decades(points: readonly ParetoPoint[]): {
  min: number;
  max: number;
  zero: number | null;
  ticks: number[];
  x: (trained: number) => number;
} {
  const positive = points.filter((p) => p.trained > 0).map((p) => Math.log10(p.trained));
  const low = positive.length ? Math.min(...positive) : 3,
    high = positive.length ? Math.max(...positive) : 4;
  const pad = Math.max(0.25, (high - low) * 0.06);
  const zero = points.some((p) => p.trained === 0) ? low - pad - 0.55 : null;
  const ticks = [];
  for (let d = Math.ceil(low - pad); d <= Math.floor(high + pad); d++) ticks.push(d);
  return {
    min: zero === null ? low - pad : zero - 0.15,
    max: high + pad,
    zero,
    ticks,
    x: (trained) => (trained > 0 ? Math.log10(trained) : (zero ?? low - pad)),
  };
}

/**
 * The y axis in percent, or of a mirrored plot below zero. It holds every mean, and the intervals as far as one more span of the means on each side:
 * the interval of two seeds can be wider than all that is to be seen. What reaches beyond ends in an arrow.
 */
export function valueRange(
  points: readonly ParetoPoint[],
  mirrored = false,
): { min: number; max: number; interval: number } {
  const means = points.map((p) => p.mean);
  const [least, most] = [Math.min(...means), Math.max(...means)];
  const reach = Math.max(2, most - least);
  const ends = points.flatMap((p) => [
    Math.max(least - reach, p.low ?? p.mean),
    Math.min(most + reach, p.high ?? p.mean),
  ]);
  const [lowest, highest] = ends.length ? [Math.min(...ends), Math.max(...ends)] : [0, 100];
  // Never less than two points, or a hundredth would look like a gulf.
  const pad = Math.max(0, 2 - (highest - lowest)) / 2;
  const [low, high] = [lowest - pad, highest + pad];
  const interval = niceStep(high - low, 4);
  return {
    min: Math.max(mirrored ? -Infinity : 0, Math.floor((low - interval * 0.15) / interval) * interval),
    max: Math.min(mirrored ? 0 : 100, Math.ceil((high + interval * 0.15) / interval) * interval),
    interval,
  };
}

export function paretoOption(input: ParetoInput, palette: Palette, size: Size): ChartOption {
  const { points } = input;
  const scale = decades(points);
  const range = valueRange(points, input.mirrored);
  const baseline = points.find((p) => p.baseline);
  const front = paretoFront(points);
  const shown = (p: ParetoPoint) =>
    `${written(input, p.mean)}${p.low === null || p.high === null ? ', one seed' : ` (${[p.low, p.high].map((end) => written(input, end)).join(' to ')})`}`;
  return {
    ...base(palette),
    grid: {
      left: 48,
      right: Math.min(
        120,
        Math.max(
          24,
          (points.find((p) => p.trained === Math.max(...points.map((q) => q.trained)))?.name.length ?? 0) * 6.1 - 4,
        ),
      ),
      top: 28,
      bottom: 40,
    },
    xAxis: {
      ...xAxis(palette, {
        name:
          scale.zero === null ? 'trained parameters, logarithmic' : 'trained parameters, logarithmic after the break',
        nameGap: 24,
        labels: { show: false },
      }),
      min: scale.min,
      max: scale.max,
      interval: 1,
    },
    yAxis: {
      type: 'value',
      ...yAxis(palette, {
        unit: titleOf(input),
        unitShift: -38,
        labels: {
          formatter: (v) => number(input.mirrored ? Math.abs(v) : v, Number.isInteger(range.interval) ? 0 : 1),
        },
      }),
      ...range,
    },
    dataZoom: [insideZoom],
    tooltip: itemTooltip(palette, (index) => {
      const p = points[index];
      return p
        ? tooltipNode(p.name, [
            { name: input.measure, value: shown(p) },
            { name: 'trained parameters', value: number(p.trained) },
          ])
        : null;
    }),
    series: [
      {
        id: 'scene',
        ...scene,
        z: 1,
        renderItem: (params, api) => {
          const area = areaOf(params);
          const end = area.x + area.width,
            floor = area.y + area.height;
          const within = (x: number) => x >= area.x - 0.5 && x <= end + 0.5;
          const parts = [];
          if (baseline && baseline.low !== null && baseline.high !== null) {
            const [top, bottom] = [
              Math.max(area.y, at(api, 0, baseline.high)[1]),
              Math.min(floor, at(api, 0, baseline.low)[1]),
            ];
            parts.push(rect(area.x, top, area.width, bottom - top, palette.text, 0.07));
          }
          for (const decade of scale.ticks) {
            const x = at(api, decade, 0)[0];
            if (within(x))
              parts.push(
                line(x, area.y, x, floor, { colour: palette.grid }),
                text(x, floor + 12, compact(10 ** decade), palette, { align: 'center' }),
              );
          }
          if (scale.zero !== null) {
            const x = at(api, scale.zero, 0)[0],
              gap = at(api, scale.zero + 0.3, 0)[0];
            if (within(x))
              parts.push(
                line(x, area.y, x, floor, { colour: palette.grid }),
                text(x, floor + 12, '0', palette, { align: 'center' }),
              );
            if (within(gap))
              parts.push(
                rect(gap - 3, floor - 2, 7, 4, palette.surface),
                line(gap - 5, floor + 5, gap, floor - 5, { colour: palette.borderStrong, width: 1.3 }),
                line(gap, floor + 5, gap + 5, floor - 5, { colour: palette.borderStrong, width: 1.3 }),
              );
          }
          const steps = front.flatMap((p, i) => {
            const here = at(api, scale.x(p.trained), p.mean);
            const before = front[i - 1];
            return before ? [[here[0], at(api, 0, before.mean)[1]] as const, here] : [here];
          });
          if (steps.length > 1 && steps.every(([x]) => within(x)))
            parts.push(polyline(steps, { colour: palette.text3, dash: [4, 3] }));
          return group(parts);
        },
      },
      {
        id: 'points',
        type: 'custom',
        z: 3,
        encode: { x: 0, y: 1 },
        data: points.map((p) => [scale.x(p.trained), p.mean]),
        renderItem: (params, api) => {
          const p = points[params.dataIndex];
          if (!p) return null;
          const area = areaOf(params);
          const [x, y] = at(api, scale.x(p.trained), p.mean);
          if (x < area.x - 1 || x > area.x + area.width + 1) return null;
          const colour = palette.method(p.look.colour);
          const whisker = p.low !== null && p.high !== null ? [p.low, p.high].map((v) => at(api, 0, v)[1]) : [];
          const floor = area.y + area.height;
          const [low, high] = whisker;
          return group([
            target(x - 12, y - 12, 24, 24),
            p.key === input.highlight
              ? {
                  type: 'circle',
                  shape: { cx: x, cy: y, r: 11 },
                  style: { fill: palette.accentWeak, stroke: palette.accent, lineWidth: 1 },
                }
              : null,
            ...(low !== undefined && high !== undefined
              ? [
                  line(x, Math.min(low, floor), x, Math.max(high, area.y), { colour, width: 1.5 }),
                  low > floor + 0.5
                    ? arrow(x, floor, [0, 1], colour)
                    : line(x - 3, low, x + 3, low, { colour, width: 1.5 }),
                  high < area.y - 0.5
                    ? arrow(x, area.y, [0, -1], colour)
                    : line(x - 3, high, x + 3, high, { colour, width: 1.5 }),
                ]
              : []),
            mark(p.look.marker, x, y, colour, palette, { hollow: p.low === null }),
          ]);
        },
      },
      {
        id: 'names',
        ...scene,
        z: 4,
        renderItem: (params, api) => {
          const area = areaOf(params);
          const seen = points.flatMap((p) => {
            const [x, y] = at(api, scale.x(p.trained), p.mean);
            return x < area.x - 1 || x > area.x + area.width + 1 ? [] : [{ p, x, y }];
          });
          const obstacles: Box[] = seen.flatMap(({ p, x, y }) => [
            { x: x - 6, y: y - 6, width: 12, height: 12 },
            ...(p.low !== null && p.high !== null
              ? [{ x: x - 3, y: at(api, 0, p.high)[1], width: 6, height: at(api, 0, p.low)[1] - at(api, 0, p.high)[1] }]
              : []),
          ]);
          const steps = front.map((p) => at(api, scale.x(p.trained), p.mean));
          for (const [i, [x, y]] of steps.entries()) {
            const before = steps[i - 1];
            if (before)
              obstacles.push(
                { x: before[0], y: before[1] - 2, width: x - before[0], height: 4 },
                { x: x - 2, y, width: 4, height: before[1] - y },
              );
          }
          const boxes = placeLabels(
            seen.map(({ p, x, y }) => ({ x, y, width: p.name.length * 6.1 + 2, height: 13, gap: 10 })),
            obstacles,
            { x: area.x, y: area.y - 8, width: size.width - area.x - 4, height: area.height + 8 },
          );
          return group(
            seen.map(({ p }, i) => {
              const box = boxes[i];
              return box
                ? text(box.x, box.y + box.height / 2, p.name, palette, {
                    colour: palette.text,
                    bold: p.key === input.highlight,
                  })
                : null;
            }),
          );
        },
      },
    ],
  };
}

export function paretoSummary(input: ParetoInput): string {
  const lines = input.points.map(
    (p) => `${p.name}: ${written(input, p.mean)} with ${number(p.trained)} trained parameters.`,
  );
  return `Quality in ${input.measure} against trained parameters; up and left is better. ${lines.join(' ')}`;
}
export function paretoTable(input: ParetoInput): ChartTable {
  return {
    columns: ['Method', 'Trained parameters', titleOf(input), '95 % from', '95 % to'],
    rows: input.points.map((p) =>
      input.mirrored
        ? [p.name, p.trained, -p.mean, p.high === null ? null : -p.high, p.low === null ? null : -p.low]
        : [p.name, p.trained, p.mean, p.low, p.high],
    ),
  };
}
