/** Quality against a cost; a logarithmic axis breaks before what costs nothing. */
import type { ChartOption, Tip } from '../chart-option.js';
import { placeLabels, type Box } from '../labels.js';
import type { MethodLook } from '../marker.js';
import type { Palette } from '../palette.js';
import { valueRange } from '../scale.js';
import { logTicks, niceStep } from '../series.js';
import type { ChartTable } from '../csv.js';
import { base, scene, xAxis, yAxis, type Size } from './common.js';
import { areaOf, arrow, at, group, line, mark, polyline, rect, target, text } from './shapes.js';
import { t } from '../../language/index.js';

export interface ParetoPoint {
  readonly key: string;
  readonly name: string;
  readonly look: MethodLook;
  /** What it costs, in the unit of x. */
  readonly x: number;
  /** In the unit of y; of a mirrored plot below zero. */
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly baseline: boolean;
}
export interface ParetoAxis {
  /** "trained parameters", "macro F1" */
  readonly title: string;
  /** "%", "ms"; empty where the values carry none. */
  readonly unit: string;
  /** A value as a sentence says it, with its unit. */
  readonly written: (value: number) => string;
  /** A value as a tick says it; `step` is what lies between two. */
  readonly tick: (value: number, step?: number) => string;
}
export interface ParetoInput {
  readonly points: readonly ParetoPoint[];
  readonly x: ParetoAxis & { readonly log: boolean };
  /** `share`: percent, which ends at 0 and 100. */
  readonly y: ParetoAxis & { readonly share: boolean };
  readonly highlight: string | null;
  /** Of a measure that is better the lower it is: values come below zero, so that up is better, and are written without the sign. */
  readonly mirrored?: boolean;
}

/** A value as it is written, with its unit. */
const written = ({ mirrored, y }: Pick<ParetoInput, 'mirrored' | 'y'>, value: number): string =>
  y.written(mirrored ? Math.abs(value) : value);
const titleOf = ({ title, unit }: ParetoAxis) => (unit === '' ? title : `${title}, ${unit}`);

/** Points that no other beats: more quality for no more cost; the cheapest first. */
export function paretoFront(points: readonly ParetoPoint[]): ParetoPoint[] {
  const front: ParetoPoint[] = [];
  for (const point of [...points].sort((a, b) => a.x - b.x || b.mean - a.mean))
    if (front.length === 0 || point.mean > (front[front.length - 1]?.mean ?? -Infinity)) front.push(point);
  return front;
}

/** The x axis: in decades where it is logarithmic, zero half a decade and a gap left of the least; else in steps from zero. */
export function costScale(
  points: readonly ParetoPoint[],
  log: boolean,
): {
  min: number;
  max: number;
  /** Where zero stands on a logarithmic axis; null where nothing costs nothing. */
  zero: number | null;
  /** Values that are written below the axis. */
  ticks: number[];
  /** What lies between two of them; undefined where it grows. */
  step?: number;
  x: (value: number) => number;
} {
  if (!log) {
    const most = Math.max(...points.map((p) => p.x), 0) || 1;
    const step = niceStep(most * 1.04, 5);
    const max = Math.ceil((most * 1.04) / step) * step;
    return {
      min: 0,
      max,
      zero: null,
      ticks: Array.from({ length: Math.round(max / step) + 1 }, (_, i) => i * step),
      step,
      x: (value) => value,
    };
  }
  const positive = points.filter((p) => p.x > 0).map((p) => Math.log10(p.x));
  const low = positive.length ? Math.min(...positive) : 3,
    high = positive.length ? Math.max(...positive) : 4;
  const pad = Math.max(0.25, (high - low) * 0.06);
  const zero = points.some((p) => p.x === 0) ? low - pad - 0.55 : null;
  const [from, to] = [10 ** (low - pad), 10 ** (high + pad)];
  const within = logTicks(from, to).filter((value) => value >= from && value <= to);
  const powers = within.filter((value) => Number.isInteger(Number(Math.log10(value).toFixed(9))));
  return {
    min: zero === null ? low - pad : zero - 0.15,
    max: high + pad,
    zero,
    ticks: powers.length >= 3 ? powers : within,
    x: (value) => (value > 0 ? Math.log10(value) : (zero ?? low - pad)),
  };
}

export function paretoOption(input: ParetoInput, palette: Palette, size: Size): ChartOption {
  const { points } = input;
  const scale = costScale(points, input.x.log);
  const range = valueRange(points, { mirrored: input.mirrored ?? false, share: input.y.share });
  const baseline = points.find((p) => p.baseline);
  const front = paretoFront(points);
  return {
    ...base(palette),
    grid: {
      left: 48,
      right: Math.min(
        120,
        Math.max(24, (points.find((p) => p.x === Math.max(...points.map((q) => q.x)))?.name.length ?? 0) * 6.1 - 4),
      ),
      top: 28,
      bottom: 40,
    },
    xAxis: {
      ...xAxis(palette, {
        name: `${titleOf(input.x)}${input.x.log ? t(', logarithmic{after}', { after: scale.zero === null ? '' : t(' after the break') }) : ''}`,
        nameGap: 24,
        labels: { show: false },
      }),
      min: scale.min,
      max: scale.max,
      ...(input.x.log ? { interval: 1 } : {}),
    },
    yAxis: {
      type: 'value',
      ...yAxis(palette, {
        unit: titleOf(input.y),
        unitShift: -38,
        labels: { formatter: (v) => input.y.tick(input.mirrored ? Math.abs(v) : v, range.interval) },
      }),
      ...range,
    },
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
          for (const tick of scale.ticks) {
            const x = at(api, scale.x(tick), 0)[0];
            if (within(x))
              parts.push(
                line(x, area.y, x, floor, { colour: palette.grid }),
                text(x, floor + 12, input.x.tick(tick, scale.step), palette, { align: 'center' }),
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
            const here = at(api, scale.x(p.x), p.mean);
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
        data: points.map((p) => [scale.x(p.x), p.mean]),
        renderItem: (params, api) => {
          const p = points[params.dataIndex];
          if (!p) return null;
          const area = areaOf(params);
          const [x, y] = at(api, scale.x(p.x), p.mean);
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
            const [x, y] = at(api, scale.x(p.x), p.mean);
            return x < area.x - 1 || x > area.x + area.width + 1 ? [] : [{ p, x, y }];
          });
          const obstacles: Box[] = seen.flatMap(({ p, x, y }) => [
            { x: x - 6, y: y - 6, width: 12, height: 12 },
            ...(p.low !== null && p.high !== null
              ? [{ x: x - 3, y: at(api, 0, p.high)[1], width: 6, height: at(api, 0, p.low)[1] - at(api, 0, p.high)[1] }]
              : []),
          ]);
          const steps = front.map((p) => at(api, scale.x(p.x), p.mean));
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

/** What is told of a point under the pointer. */
export function paretoTip(input: ParetoInput, index: number): Tip | null {
  const p = input.points[index];
  if (!p) return null;
  const ends =
    p.low === null || p.high === null
      ? t(', one seed')
      : ` (${(input.mirrored ? [p.high, p.low] : [p.low, p.high]).map((end) => written(input, end)).join(t(' to '))})`;
  return {
    title: p.name,
    lines: [
      { name: input.y.title, value: written(input, p.mean) + ends },
      { name: input.x.title, value: input.x.written(p.x) },
    ],
  };
}

export function paretoSummary(input: ParetoInput): string {
  const lines = input.points.map((p) =>
    t('{name}: {y} at {x} {axis}.', {
      name: p.name,
      y: written(input, p.mean),
      x: input.x.written(p.x),
      axis: input.x.title,
    }),
  );
  return `${t('{y} against {x}; up and left is better.', { y: input.y.title, x: input.x.title })} ${lines.join(' ')}`;
}
export function paretoTable(input: ParetoInput): ChartTable {
  return {
    columns: [t('Method'), titleOf(input.x), titleOf(input.y), t('95 % from'), t('95 % to')],
    rows: input.points.map((p) =>
      input.mirrored
        ? [p.name, p.x, -p.mean, p.high === null ? null : -p.high, p.low === null ? null : -p.low]
        : [p.name, p.x, p.mean, p.low, p.high],
    ),
  };
}
