/** Training and validation curves over steps. */
import type { ChartOption, Tip } from '../../../electron/charting/chart-option.js';
import type { ChartTable } from '../../../electron/charting/csv.js';
import { base, scene, xAxis, yAxis, type Size } from '../../../electron/charting/options/common.js';
import { areaOf, at, group, line, mark, rect, text } from '../../../electron/charting/options/shapes.js';
import type { Palette } from '../../../electron/charting/palette.js';
import { bounded, logTicks, nearest, type Sample } from '../../../electron/charting/series.js';
import { compact, measured } from '../../../electron/charting/values.js';
import { number, shortNumber } from '../../state/format.js';
import { smooth } from '../../state/series.js';
import { t } from '../../language.js';

interface ValidationSample extends Sample {
  readonly low?: number | null;
  readonly high?: number | null;
}
export interface LineInput {
  /** What y is: "Loss". */
  readonly measure: string;
  /** Unit above the axis: "nats", "%". */
  readonly unit: string;
  /** A value a step; empty when the measure is read at validation only. */
  readonly train: readonly Sample[];
  /** Steps over which the train line is smoothed; 1 draws the raw line alone. */
  readonly smoothOver: number;
  readonly validation: readonly ValidationSample[];
  readonly best: { readonly x: number; readonly y: number } | null;
  /** Other seeds or runs, dashed, labelled at their ends. */
  readonly others: readonly { readonly name: string; readonly points: readonly Sample[] }[];
  /** Parts of the run, told apart by their ground and named at its foot; each reaches from a step to a step. */
  readonly spans: readonly { readonly name: string; readonly from: number; readonly to: number }[];
  /** Step of a running run: what lies behind it is shaded. */
  readonly now: number | null;
  readonly xMax: number | null;
  readonly log: boolean;
  readonly format?: (value: number) => string;
}

/** Validations of which each is marked by a circle. */
const MOST_SYMBOLS = 200;
/** A smooth line needs fewer points than a rough one to look the same. */
const SMOOTH_POINTS = 800;

const value = (input: LineInput, y: number): string => (input.format ?? measured)(y);
const usable = (input: LineInput, y: number | null): number | null =>
  y === null || !Number.isFinite(y) || (input.log && y <= 0) ? null : y;

/** The train line smoothed; empty where it is too short to be. */
function smoothed(input: LineInput): Sample[] {
  const { train, smoothOver } = input;
  if (smoothOver <= 1 || train.length <= smoothOver) return [];
  const known = smoothLines.get(input);
  if (known) return known;
  const means = smooth(
    train.map((s) => s.y),
    smoothOver,
  );
  const line = means.map((y, i) => ({ x: train[i]?.x ?? 0, y }));
  smoothLines.set(input, line);
  return line;
}
/** Once for all places of the pointer. */
const smoothLines = new WeakMap<LineInput, Sample[]>();

export function lineOption(input: LineInput, palette: Palette, size: Size): ChartOption {
  const points = (samples: readonly Sample[], most?: number) =>
    bounded(samples, most).map(({ x, y }) => [x, usable(input, y) ?? '-']);
  const smoothLine = smoothed(input);
  const smoothing = smoothLine.length > 0;
  const ends = input.others.filter((o) => o.points.length > 0);
  const last = Math.max(
    1,
    ...[input.train, input.validation, ...ends.map((o) => o.points)].map((s) => s[s.length - 1]?.x ?? 0),
  );
  const xMax = Math.max(input.xMax ?? 0, last);
  const right = ends.length ? 74 : 18;
  const band = input.validation.filter((v) => typeof v.low === 'number' && typeof v.high === 'number');

  const shares =
    input.unit === '%'
      ? [...input.validation.map((v) => v.low ?? v.y), ...ends.flatMap((o) => o.points.map((s) => s.y))].flatMap(
          (y) => y ?? [],
        )
      : [];
  // A loss starts at zero; a score is read in the tens where it lies.
  const floor = shares.length ? Math.max(0, Math.floor((shares.reduce((a, b) => Math.min(a, b)) - 2) / 10) * 10) : 0;
  const values = input.log
    ? [...input.train, ...input.validation, ...ends.flatMap((o) => o.points)].flatMap((s) => usable(input, s.y) ?? [])
    : [];
  // ECharts ticks a logarithmic axis at powers of ten only, too few for a loss: ticks at 1, 2 and 5 are drawn here.
  const logTick = values.length
    ? logTicks(
        values.reduce((a, b) => Math.min(a, b)),
        values.reduce((a, b) => Math.max(a, b)),
      )
    : null;
  return {
    ...base(palette),
    grid: { left: 52, right, top: 28, bottom: 40 },
    xAxis: {
      ...xAxis(palette, { name: t('step'), labels: { showMaxLabel: true, formatter: (v) => number(v) } }),
      min: 0,
      max: xMax,
      splitNumber: Math.max(2, Math.min(6, Math.round(size.width / 150))),
    },
    yAxis: {
      type: logTick ? 'log' : 'value',
      ...yAxis(palette, {
        unit: input.log ? t('{unit}, logarithmic', { unit: t(input.unit) }) : t(input.unit),
        unitShift: -44,
        labels: {
          show: !logTick,
          formatter: (v) =>
            input.format
              ? input.format(v)
              : v === 0
                ? '0'
                : v >= 100
                  ? compact(v)
                  : shortNumber(Number(v.toPrecision(3))),
        },
      }),
      min: logTick?.[0] ?? floor,
      ...(logTick ? { max: logTick[logTick.length - 1], splitLine: { show: false } } : {}),
      ...(input.unit === '%'
        ? { max: (v: { max: number }) => (v.max > 85 ? 100 : Math.ceil(v.max / 10 + 0.2) * 10) }
        : {}),
      splitNumber: Math.max(2, Math.round(size.height / 90)),
    },
    series: [
      {
        id: 'scene',
        ...scene,
        z: 1,
        renderItem: (params, api) => {
          const area = areaOf(params);
          const floor = area.y + area.height;
          const across = (x: number) =>
            Math.min(area.x + area.width, Math.max(area.x, at(api, x, logTick?.[0] ?? 1)[0]));
          const spans = input.spans.flatMap(({ name, from, to }, i) => {
            const [left, right] = [across(from), across(to)];
            if (right - left < 1) return [];
            return [
              ...(i % 2 === 1 ? [rect(left, area.y, right - left, area.height, palette.surfaceInset, 0.7)] : []),
              ...(i > 0 ? [line(left, area.y, left, floor, { colour: palette.frozenEdge, dash: [2, 3] })] : []),
              ...(right - left > 52 ? [text(left + 5, floor - 8, name, palette)] : []),
            ];
          });
          const ticks = (logTick ?? []).flatMap((v) => {
            const y = at(api, 0, v)[1];
            return [
              line(area.x, y, area.x + area.width, y, { colour: palette.grid }),
              text(area.x - 8, y, shortNumber(v), palette, { align: 'right' }),
            ];
          });
          if (input.now === null || input.now >= xMax) return group([...spans, ...ticks]);
          const x = across(input.now);
          return group([
            rect(x, area.y, area.x + area.width - x, area.height, palette.surfaceInset, 0.6),
            ...spans,
            ...ticks,
            line(x, area.y, x, floor, { colour: palette.accent, dash: [2, 3] }),
            x < area.x + area.width - 90
              ? text(x + 6, area.y + 6, t('now, {step}', { step: number(input.now) }), palette, {
                  colour: palette.accent,
                })
              : text(x - 6, area.y + 6, t('now, {step}', { step: number(input.now) }), palette, {
                  colour: palette.accent,
                  align: 'right',
                }),
          ]);
        },
      },
      {
        id: 'raw',
        name: t('train'),
        type: 'line',
        data: points(input.train),
        showSymbol: input.train.length === 1,
        symbolSize: 4,
        z: 2,
        lineStyle: {
          width: smoothing ? 1 : 1.6,
          color: smoothing ? palette.frozenEdge : palette.text3,
          opacity: smoothing ? 0.8 : 1,
        },
        itemStyle: { color: palette.text3 },
        emphasis: { disabled: true },
      },
      {
        id: 'smooth',
        name: 'smoothed',
        type: 'line',
        data: points(smoothLine, SMOOTH_POINTS),
        showSymbol: false,
        z: 3,
        lineStyle: { width: 1.8, color: palette.text3 },
        itemStyle: { color: palette.text3 },
        emphasis: { disabled: true },
      },
      ...ends.map((other, i) => ({
        id: `other-${i}`,
        name: other.name,
        type: 'line' as const,
        data: points(other.points),
        showSymbol: false,
        z: 4,
        lineStyle: { width: 1.1, color: palette.text, type: [4, 3], opacity: 0.75 },
        itemStyle: { color: palette.text },
        emphasis: { disabled: true },
      })),
      {
        id: 'ends',
        ...scene,
        z: 4,
        renderItem: (params, api) => {
          const area = areaOf(params);
          const tips = ends
            .flatMap((o) => {
              const end = o.points.findLast((s) => usable(input, s.y) !== null);
              if (!end || end.y === null) return [];
              const [x, y] = at(api, end.x, end.y);
              return x < area.x || x > area.x + area.width + 1 ? [] : [{ name: o.name, x, y }];
            })
            .sort((a, b) => a.y - b.y);
          // Names keep a line's height between them.
          for (const [i, tip] of tips.entries()) {
            const above = tips[i - 1];
            if (above) tip.y = Math.max(tip.y, above.y + 13);
          }
          for (const [i, tip] of [...tips].reverse().entries())
            tip.y = Math.min(tip.y, area.y + area.height - 6 - i * 13);
          return group(tips.map((tip) => text(tip.x + 6, tip.y, tip.name, palette)));
        },
      },
      {
        id: 'band',
        ...scene,
        z: 4,
        clip: true,
        renderItem: (_params, api) =>
          band.length < 2
            ? null
            : {
                type: 'polygon',
                silent: true,
                style: { fill: palette.accent, opacity: 0.16 },
                shape: {
                  points: [
                    ...band.map((v) => at(api, v.x, v.high ?? 0)),
                    ...band.toReversed().map((v) => at(api, v.x, v.low ?? 0)),
                  ].map(([x, y]) => [x, y]),
                },
              },
      },
      {
        id: 'validation',
        name: t('validation'),
        type: 'line',
        data: points(input.validation),
        z: 5,
        symbol: 'circle',
        symbolSize: input.validation.length > 80 ? 4 : 7,
        // Each is a shape of its own, looked at in every frame; more stand too close to be told apart.
        showSymbol: input.validation.length <= MOST_SYMBOLS,
        lineStyle: { width: 2, color: palette.accent },
        itemStyle: { color: palette.accent, borderColor: palette.surface, borderWidth: 1 },
        emphasis: { disabled: true },
      },
      {
        id: 'best',
        ...scene,
        z: 6,
        renderItem: (params, api) => {
          const best = input.best;
          if (!best || usable(input, best.y) === null) return null;
          const area = areaOf(params);
          const [x, y] = at(api, best.x, best.y);
          // Not clipped, so that a best step at the very end keeps its ring: what zoom moved out is left out instead.
          if (x < area.x - 1 || x > area.x + area.width + 1 || y < area.y - 1 || y > area.y + area.height + 1)
            return null;
          // The call-out stands above the point, or below it where there is no room.
          const above = y - area.y > 60;
          const end = above ? y - 46 : y + 40;
          const toLeft = x > area.x + area.width / 2;
          return group([
            mark('circle', x, y, palette.text, palette, { radius: 6, hollow: true }),
            mark('circle', x, y, palette.accent, palette, { radius: 3.5 }),
            line(x, above ? y - 7 : y + 7, x, end, { colour: palette.text }),
            text(
              toLeft ? Math.min(x + 4, area.x + area.width) : x - 4,
              end + (above ? -8 : 8),
              t('best: {value} at {x}', { value: value(input, best.y), x: number(best.x) }),
              palette,
              { colour: palette.text, align: toLeft ? 'right' : 'left' },
            ),
          ]);
        },
      },
    ],
  };
}

/** What is told at a step under the pointer. */
export function lineTip(input: LineInput, x: number): Tip | null {
  const smoothLine = smoothed(input);
  const lines: { name: string; value: string }[] = [];
  const add = (name: string, sample: ValidationSample | undefined, show = true) => {
    if (!sample || !show || sample.y === null) return;
    const range =
      typeof sample.low === 'number' && typeof sample.high === 'number'
        ? ` (${t('{low} to {high}', { low: value(input, sample.low), high: value(input, sample.high) })})`
        : '';
    lines.push({ name, value: value(input, sample.y) + range });
  };
  const step = input.train[nearest(input.train, x)];
  add(t('train'), step);
  add(t('smoothed over {steps}', { steps: input.smoothOver }), smoothLine[nearest(smoothLine, x)]);
  const check = input.validation[nearest(input.validation, x)];
  add(check && check.x !== x ? t('validation at {x}', { x: number(check.x) }) : t('validation'), check);
  for (const other of input.others) add(other.name, other.points[nearest(other.points, x)]);
  return lines.length ? { title: t('Step {x}', { x: number(step?.x ?? check?.x ?? x) }), lines } : null;
}

/** One sentence a screen reader says in place of the picture. */
export function lineSummary(input: LineInput): string {
  const lastOf = (samples: readonly Sample[]) => samples.findLast((s) => s.y !== null);
  const train = lastOf(input.train),
    check = lastOf(input.validation);
  const parts = [
    t('{measure} by step{scale}.', { measure: input.measure, scale: input.log ? t(', logarithmic') : '' }),
  ];
  if (!train && !check) return `${parts.join('')} ${t('No value yet.')}`;
  if (train && train.y !== null)
    parts.push(t('Train {value} at step {x}.', { value: value(input, train.y), x: number(train.x) }));
  if (check && check.y !== null)
    parts.push(t('Validation {value} at step {x}.', { value: value(input, check.y), x: number(check.x) }));
  if (input.best)
    parts.push(t('Best {value} at step {x}.', { value: value(input, input.best.y), x: number(input.best.x) }));
  return parts.join(' ');
}

/** Every step with what was measured at it; other runs in columns of their own. */
export function lineTable(input: LineInput): ChartTable {
  const columns = [
    t('Step'),
    ...(input.train.length ? [t('{measure}, train', { measure: input.measure })] : []),
    t('{measure}, validation', { measure: input.measure }),
    ...input.others.map((o) => o.name),
  ];
  const series: readonly (readonly Sample[])[] = [
    ...(input.train.length ? [input.train] : []),
    input.validation,
    ...input.others.map((o) => o.points),
  ];
  const maps = series.map((samples) => new Map(samples.map((s) => [s.x, s.y])));
  const steps = [...new Set(series.flatMap((samples) => samples.map((s) => s.x)))].sort((a, b) => a - b);
  return { columns, rows: steps.map((step) => [step, ...maps.map((m) => m.get(step) ?? null)]) };
}
