/** Differences from full fine-tuning with their intervals and the zone of equivalence. */
import { number, outward, signed } from '../format.js';
import type { ChartOption, Tip } from '../chart-option.js';
import type { MethodLook } from '../marker.js';
import type { Palette } from '../palette.js';
import { niceStep } from '../series.js';
import type { ChartTable } from '../csv.js';
import { base, scene, xAxis } from './common.js';
import { areaOf, arrow, at, group, line, mark, rect, target, text } from './shapes.js';
import { t } from '../../language/index.js';

export interface ForestRow {
  readonly key: string;
  readonly name: string;
  readonly look: MethodLook;
  /** Against the baseline, in the plot's unit; null without one. */
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** In words; null where the sentences beside the plot say it. */
  readonly verdict: string | null;
}
export interface ForestInput {
  readonly rows: readonly ForestRow[];
  /** Half width of the zone of equivalence, in the same unit; null draws none. */
  readonly zone: number | null;
  /** "points", or of perplexity "%". */
  readonly unit: string;
  /** Words below the axis: "macro F1, points against full fine-tuning". */
  readonly axis: string;
  readonly highlight: string | null;
}

/**
 * Scale in points: all intervals where they lie close enough, else what lies within reach of the median one,
 * so that one method far off does not press the others into a dot. The rest are drawn as arrows.
 */
export function forestScale(rows: readonly ForestRow[], width: number | null): { min: number; max: number } {
  const ends = rows.flatMap((r) => (r.mean === null ? [] : [{ low: r.low ?? r.mean, high: r.high ?? r.mean }]));
  const sizes = ends.map(({ low, high }) => Math.max(Math.abs(low), Math.abs(high))).sort((a, b) => a - b);
  const median = sizes[Math.floor((sizes.length - 1) / 2)] ?? 0;
  // Without a zone the median difference is the measure of what is near.
  const zone = width ?? (median / 3 || 1);
  const reach = Math.max(5 * zone, 3 * median);
  const shown = ends.filter(({ low, high }) => Math.max(Math.abs(low), Math.abs(high)) <= reach);
  const pad = zone * 0.5;
  const beyond = (side: -1 | 1) =>
    ends.some(
      ({ low, high }) => !shown.some((s) => s.low === low && s.high === high) && (side < 0 ? low < 0 : high > 0),
    );
  const low = Math.min(-zone, ...shown.map((e) => e.low)) - pad;
  const high = Math.max(zone, ...shown.map((e) => e.high)) + pad;
  return { min: beyond(-1) ? Math.min(low, -5 * zone) : low, max: beyond(1) ? Math.max(high, 5 * zone) : high };
}

const digits = (zone: number | null): number => (zone !== null && zone < 0.2 ? 2 : 1);
const written = (row: ForestRow, zone: number | null): string => {
  if (row.mean === null) return t('no baseline');
  // Of hundreds no decimals are read, and thousands need the room.
  const d = Math.max(...[row.mean, row.low ?? 0, row.high ?? 0].map(Math.abs)) >= 100 ? 0 : digits(zone);
  return row.low === null || row.high === null
    ? t('{row}  one seed', { row: signed(row.mean, d) })
    : `${signed(row.mean, d)}  [${outward(row.low, row.high, d).join(', ')}]`;
};

/** About the width of a letter. */
const LETTER = 6.2;

export function forestOption(input: ForestInput, palette: Palette): ChartOption {
  const { rows, zone } = input;
  const scale = forestScale(rows, zone);
  const names = Math.min(170, Math.max(70, ...rows.map((r) => r.name.length * 6.4 + 24)));
  const heading = t('difference, 95 %');
  const within =
    zone === null
      ? ''
      : t('within ± {zone} {unit}', {
          zone: number(zone, digits(zone)),
          unit: zone === 1 && input.unit === 'points' ? t('point') : t(input.unit),
        });
  const right = Math.min(230, Math.max(140, ...rows.map((row) => written(row, zone).length * LETTER + 22)));
  return {
    ...base(palette),
    grid: { left: names, right, top: 26, bottom: 40 },
    xAxis: {
      ...xAxis(palette, {
        name: input.axis,
        nameGap: 24,
        labels: { show: false },
      }),
      ...scale,
      interval: niceStep(scale.max - scale.min, 7),
    },
    yAxis: { type: 'value', min: 0, max: Math.max(1, rows.length), inverse: true, show: false },
    series: [
      {
        id: 'scene',
        ...scene,
        z: 1,
        renderItem: (params, api) => {
          const area = areaOf(params);
          const end = area.x + area.width,
            floor = area.y + area.height;
          const clamp = (x: number) => Math.min(end, Math.max(area.x, x));
          const px = (v: number) => at(api, v, 0)[0];
          const [from, to, zero] = [clamp(px(-(zone ?? 0))), clamp(px(zone ?? 0)), px(0)];
          const [lowShown, highShown] = [scale.min, scale.max];
          const longest = Math.max(...[lowShown, highShown].map((value) => signed(value, 0).length));
          const step = niceStep(
            ((highShown - lowShown) * area.width) / Math.max(1, px(highShown) - px(lowShown)),
            Math.max(2, area.width / Math.max(42, longest * LETTER + 14)),
          );
          const ticks = [];
          for (let i = Math.ceil(lowShown / step - 1e-9); i * step <= highShown + 1e-9; i++) {
            const x = px(i * step);
            if (x < area.x - 0.5 || x > end + 0.5) continue;
            if (Math.abs(i * step) > 1e-9 && Math.abs(Math.abs(i * step) - (zone ?? 0)) > 1e-9)
              ticks.push(line(x, area.y, x, floor, { colour: palette.grid }));
            ticks.push(
              text(
                x,
                floor + 12,
                i === 0 ? '0' : signed(i * step, Number.isInteger(step) ? 0 : step >= 0.1 ? 1 : 2),
                palette,
                { align: 'center' },
              ),
            );
          }
          const lit = rows.findIndex((r) => r.key === input.highlight);
          const height = area.height / Math.max(1, rows.length);
          return group([
            lit >= 0 ? rect(0, area.y + lit * height, end + right, height, palette.accentWeak) : null,
            ...rows
              .slice(1)
              .map((_, i) => area.y + (i + 1) * height)
              .map((y) => line(12, y, end + right - 12, y, { colour: palette.grid })),
            to > from ? rect(from, area.y, to - from, area.height, palette.zone) : null,
            ...ticks,
            ...(zone === null ? [] : [px(-zone), px(zone)]).map((x) =>
              x >= area.x && x <= end ? line(x, area.y, x, floor, { colour: palette.zoneEdge, dash: [3, 3] }) : null,
            ),
            zero >= area.x && zero <= end
              ? line(zero, area.y, zero, floor, { colour: palette.text, width: 1.2 })
              : null,
            to > from
              ? text(
                  Math.min(
                    clamp((from + to) / 2),
                    end + right - 12 - (heading.length + 2 + within.length / 2) * LETTER,
                  ),
                  area.y - 10,
                  within,
                  palette,
                  { align: 'center', colour: palette.good },
                )
              : null,
            text(end + right - 12, area.y - 10, heading, palette, { align: 'right', colour: palette.text3 }),
          ]);
        },
      },
      {
        id: 'points',
        type: 'custom',
        z: 3,
        encode: { x: 0, y: 1 },
        data: rows.map((r, i) => [Math.min(scale.max, Math.max(scale.min, r.mean ?? 0)), i + 0.5]),
        renderItem: (params, api) => {
          const row = rows[params.dataIndex];
          if (!row) return null;
          const area = areaOf(params);
          const end = area.x + area.width;
          const height = area.height / Math.max(1, rows.length);
          const y = at(api, 0, params.dataIndex + 0.5)[1];
          const colour = palette.method(row.look.colour);
          const px = (v: number) => at(api, v, 0)[0];
          const parts = [
            target(0, y - height / 2, end + right, height),
            text(12, y, row.name, palette, { colour: palette.text, width: names - 20 }),
            text(end + right - 12, y, written(row, zone), palette, {
              align: 'right',
              colour: row.mean === null ? palette.text3 : palette.text,
            }),
          ];
          if (row.mean !== null) {
            const [low, high, mean] = [px(row.low ?? row.mean), px(row.high ?? row.mean), px(row.mean)];
            const beyond = (x: number, sign: -1 | 1) => arrow(x, y, [sign, 0], colour);
            if (high < area.x) parts.push(beyond(area.x + 2, -1), text(area.x + 16, y, t('beyond the scale'), palette));
            else if (low > end)
              parts.push(beyond(end - 2, 1), text(end - 16, y, t('beyond the scale'), palette, { align: 'right' }));
            else {
              const [a, b] = [Math.max(low, area.x), Math.min(high, end)];
              if (row.low !== null) parts.push(line(a, y, b, y, { colour, width: 1.8 }));
              if (low >= area.x) {
                if (row.low !== null) parts.push(line(low, y - 4, low, y + 4, { colour, width: 1.8 }));
              } else parts.push(beyond(area.x + 2, -1));
              if (high <= end) {
                if (row.high !== null) parts.push(line(high, y - 4, high, y + 4, { colour, width: 1.8 }));
              } else parts.push(beyond(end - 2, 1));
              if (mean >= area.x && mean <= end)
                parts.push(mark(row.look.marker, mean, y, colour, palette, { hollow: row.low === null }));
            }
          }
          return group(parts);
        },
      },
    ],
  };
}

/** What is told of a row under the pointer. */
export function forestTip({ rows, unit, zone }: ForestInput, index: number): Tip | null {
  const row = rows[index];
  if (!row) return null;
  const difference = { name: t('difference, {unit}', { unit: t(unit) }), value: written(row, zone) };
  return {
    title: row.name,
    lines: row.verdict === null ? [difference] : [difference, { name: t('verdict'), value: row.verdict }],
  };
}

export function forestSummary({ rows, zone, axis }: ForestInput): string {
  const lines = rows.map((r) => `${r.name} ${written(r, zone)}${r.verdict === null ? '' : `: ${r.verdict}`}.`);
  const width =
    zone === null ? '' : t(', zone of equivalence plus or minus {zone}', { zone: number(zone, digits(zone)) });
  return `${t('Differences: {axis}{width}.', { axis, width })} ${lines.join(' ')}`;
}
export function forestTable(input: ForestInput): ChartTable {
  const told = input.rows.some((r) => r.verdict !== null);
  return {
    columns: [
      t('Method'),
      t('Difference, {unit}', { unit: t(input.unit) }),
      t('95 % from'),
      t('95 % to'),
      ...(told ? [t('Verdict')] : []),
    ],
    rows: input.rows.map((r) => [r.name, r.mean, r.low, r.high, ...(told ? [r.verdict] : [])]),
  };
}
