/** Curves over a quantity or over named places, each with its band: learning curves, scores before and after a task. */
import type { ChartOption, Tip } from '../chart-option.js';
import type { ChartTable } from '../csv.js';
import type { MethodLook } from '../marker.js';
import type { Palette } from '../palette.js';
import { valueRange } from '../scale.js';
import { base, scene, xAxis, yAxis, type Size } from './common.js';
import type { ParetoAxis } from './pareto.js';
import { areaOf, at, group, line, mark, polyline, target, text } from './shapes.js';
import { t } from '../../language/index.js';

export interface CurvePoint {
  readonly x: number;
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
}
export interface Curve {
  readonly key: string;
  readonly name: string;
  readonly look: MethodLook;
  readonly points: readonly CurvePoint[];
}
export interface CurvesInput {
  readonly series: readonly Curve[];
  readonly x: {
    readonly title: string;
    readonly log: boolean;
    readonly tick: (value: number) => string;
    /** Names in place of numbers: x counts them from 0. */
    readonly places: readonly string[] | null;
  };
  readonly y: ParetoAxis & { readonly share: boolean };
  readonly highlight: string | null;
}

/** More bands than this hide each other: then each point has its interval as a whisker. */
const mostBands = 4;
const titleOf = ({ title, unit }: ParetoAxis) => (unit === '' ? title : `${title}, ${unit}`);
const placeOf = ({ x }: CurvesInput, value: number): string => x.places?.[value] ?? x.tick(value);

/** Where the values of x stand: by their logarithm where that is asked for and can be. */
export function curveScale({ series, x }: Pick<CurvesInput, 'series' | 'x'>): {
  values: number[];
  log: boolean;
  at: (value: number) => number;
  min: number;
  max: number;
} {
  const values = [
    ...new Set(x.places ? x.places.map((_, i) => i) : series.flatMap((s) => s.points.map((p) => p.x))),
  ].sort((a, b) => a - b);
  const log = x.log && x.places === null && (values[0] ?? 0) > 0;
  const place = (value: number) => (log ? Math.log2(value) : value);
  const [first, last] = [place(values[0] ?? 1), place(values.at(-1) ?? 2)];
  const pad = (last - first || 1) * 0.04;
  return { values, log, at: place, min: first - pad, max: last + pad };
}

export function curvesOption(input: CurvesInput, palette: Palette, size: Size): ChartOption {
  const { series } = input;
  const scale = curveScale(input);
  const points = series.flatMap((s) => s.points.map((p) => ({ ...p, series: s })));
  const range = valueRange(points, { share: input.y.share });
  const faded = (s: Curve) => input.highlight !== null && s.key !== input.highlight;
  const right = Math.min(150, Math.max(40, ...series.map((s) => s.name.length * 6.1 + 22)));
  const long = Math.max(0, ...(input.x.places ?? []).map((name) => name.length)) > 14;
  return {
    ...base(palette),
    grid: { left: 52, right, top: 28, bottom: long ? 52 : 40 },
    xAxis: {
      ...xAxis(palette, {
        name: `${input.x.title}${scale.log ? t(', logarithmic') : ''}`,
        nameGap: long ? 36 : 24,
        labels: { show: false },
      }),
      min: scale.min,
      max: scale.max,
      ...(scale.log ? { interval: 1 } : {}),
    },
    yAxis: {
      type: 'value',
      ...yAxis(palette, {
        unit: titleOf(input.y),
        unitShift: -44,
        labels: { formatter: (v) => input.y.tick(v, range.interval) },
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
          const floor = area.y + area.height;
          const places = scale.values.map((value) => ({ value, x: at(api, scale.at(value), range.min)[0] }));
          const room = places.reduce((least, p, i) => Math.min(least, p.x - (places[i - 1]?.x ?? -Infinity)), Infinity);
          let end = -Infinity;
          return group(
            places.flatMap(({ value, x }) => {
              if (x < area.x - 1 || x > area.x + area.width + 1) return [];
              const words = placeOf(input, value);
              const half = Math.min(words.length * 3.1, room / 2);
              const fits = x - half > end + 4;
              if (fits) end = x + half;
              return [
                line(x, area.y, x, floor, { colour: palette.grid }),
                fits
                  ? text(x, floor + 12, words, palette, {
                      align: 'center',
                      ...(input.x.places ? { width: Math.max(30, room - 8), base: 'middle' } : {}),
                    })
                  : null,
              ];
            }),
          );
        },
      },
      ...series.map((s, i) => ({
        id: `curve-${i}`,
        ...scene,
        z: s.key === input.highlight ? 3 : 2,
        clip: true,
        renderItem: (_params: unknown, api: Parameters<typeof at>[0]) => {
          const colour = palette.method(s.look.colour);
          const path = s.points.map((p) => at(api, scale.at(p.x), p.mean));
          const band = s.points.filter((p) => p.low !== null && p.high !== null);
          const banded = (series.length <= mostBands || s.key === input.highlight) && band.length > 1;
          return group([
            banded
              ? {
                  type: 'polygon',
                  silent: true,
                  style: { fill: colour, opacity: faded(s) ? 0.05 : 0.14 },
                  shape: {
                    points: [
                      ...band.map((p) => at(api, scale.at(p.x), p.high ?? p.mean)),
                      ...band.toReversed().map((p) => at(api, scale.at(p.x), p.low ?? p.mean)),
                    ].map(([x, y]) => [x, y]),
                  },
                }
              : null,
            ...(banded
              ? []
              : band.map((p) => {
                  const [x, low] = at(api, scale.at(p.x), p.low ?? p.mean);
                  return line(x, low, x, at(api, 0, p.high ?? p.mean)[1], { colour, width: 1.2 });
                })),
            path.length > 1 ? polyline(path, { colour, width: s.key === input.highlight ? 2.4 : 1.8 }) : null,
          ]);
        },
      })),
      {
        id: 'points',
        type: 'custom',
        z: 4,
        encode: { x: 0, y: 1 },
        data: points.map((p) => [scale.at(p.x), p.mean]),
        renderItem: (params, api) => {
          const p = points[params.dataIndex];
          if (!p) return null;
          const area = areaOf(params);
          const [x, y] = at(api, scale.at(p.x), p.mean);
          if (x < area.x - 1 || x > area.x + area.width + 1) return null;
          return group([
            target(x - 10, y - 10, 20, 20),
            mark(p.series.look.marker, x, y, palette.method(p.series.look.colour), palette, {
              radius: 4.4,
              hollow: p.low === null,
            }),
          ]);
        },
      },
      {
        id: 'names',
        ...scene,
        z: 5,
        renderItem: (params, api) => {
          const area = areaOf(params);
          const ends = series
            .flatMap((s) => {
              const last = s.points.at(-1);
              if (!last) return [];
              const [x, y] = at(api, scale.at(last.x), last.mean);
              return x > area.x + area.width + 1 ? [] : [{ s, x, y, place: y }];
            })
            .sort((a, b) => a.y - b.y);
          // Names keep a line's height between them and stay inside the plot.
          for (const [i, end] of ends.entries()) {
            const above = ends[i - 1];
            if (above) end.place = Math.max(end.place, above.place + 14);
          }
          for (const [i, end] of ends.toReversed().entries())
            end.place = Math.min(end.place, area.y + area.height - 4 - i * 14);
          const at0 = area.x + area.width + 12;
          return group(
            ends.flatMap(({ s, x, y, place }) => [
              line(x + 6, y, at0 - 3, place, { colour: palette.grid }),
              text(at0, place, s.name, palette, {
                colour: faded(s) ? palette.text3 : palette.text,
                bold: s.key === input.highlight,
                width: size.width - at0 - 4,
              }),
            ]),
          );
        },
      },
    ],
  };
}

const rangeOf = (input: CurvesInput, p: CurvePoint): string =>
  p.low === null || p.high === null ? '' : ` (${[p.low, p.high].map((end) => input.y.tick(end, 0.1)).join(t(' to '))})`;

/** What is told of a point under the pointer: its place counted over all curves, one after the other. */
export function curvesTip(input: CurvesInput, index: number): Tip | null {
  let left = index;
  for (const s of input.series) {
    const p = s.points[left];
    if (p)
      return {
        title: s.name,
        lines: [
          { name: input.x.title, value: placeOf(input, p.x) },
          { name: input.y.title, value: input.y.written(p.mean) + rangeOf(input, p) },
        ],
      };
    left -= s.points.length;
  }
  return null;
}

export function curvesSummary(input: CurvesInput): string {
  const told = input.series.map((s) => {
    const [first, last] = [s.points[0], s.points.at(-1)];
    if (!first || !last) return t('{name}: no value.', { name: s.name });
    const end = t('{value}{range} at {place}', {
      value: input.y.written(last.mean),
      range: rangeOf(input, last),
      place: placeOf(input, last.x),
    });
    return first === last
      ? `${s.name}: ${end}.`
      : t('{name}: {value} at {place}, {end}.', {
          name: s.name,
          value: input.y.written(first.mean),
          place: placeOf(input, first.x),
          end,
        });
  });
  const scale = input.x.log ? t(', logarithmic') : '';
  return `${t('{y} by {x}{scale}.', { y: input.y.title, x: input.x.title, scale })} ${told.join(' ')}`;
}

/** A row a point, curve by curve. */
export function curvesTable(input: CurvesInput): ChartTable {
  return {
    columns: [t('Curve'), input.x.title, titleOf(input.y), t('95 % from'), t('95 % to')],
    rows: input.series.flatMap((s) =>
      s.points.map((p) => [s.name, input.x.places ? placeOf(input, p.x) : p.x, p.mean, p.low, p.high]),
    ),
  };
}

/** Pixels that the plot asks for: the names of all curves stand beside it. */
export const curvesHeight = ({ series }: CurvesInput): number => Math.max(280, series.length * 16 + 90);
