/** A matrix of numbers, each in its cell: above a middle blue and below it orange, or without a middle the more the deeper. */
import type { ChartOption, Tip } from '../chart-option.js';
import type { ChartTable } from '../csv.js';
import { NO_VALUE } from '../format.js';
import type { MethodLook } from '../marker.js';
import type { Palette } from '../palette.js';
import { base, scene, xAxis } from './common.js';
import { areaOf, group, mark, rect, target, text } from './shapes.js';
import { t } from '../../language/index.js';

export interface HeatRow {
  readonly key: string;
  readonly name: string;
  /** Null for what is no method. */
  readonly look: MethodLook | null;
  readonly values: readonly (number | null)[];
}
export interface HeatMapInput {
  readonly columns: readonly string[];
  readonly rows: readonly HeatRow[];
  /** Above it is a gain, below it a loss; null for plain amounts. */
  readonly middle: number | null;
  /** "points", "%"; empty where each number carries its own. */
  readonly unit: string;
  readonly cell: (value: number) => string;
}

const diverging = ['worse3', 'worse2', 'worse1', 'equal', 'better1', 'better2', 'better3'] as const;
/** Without the step on which neither ink nor paper can be read. */
const amounts = ['amount1', 'amount2', 'amount3', 'bar', 'amount6', 'amount7'] as const;
type Shade = (typeof diverging)[number] | (typeof amounts)[number];
/** Shades on which the number is written in the colour of the paper. */
const deep: readonly Shade[] = ['worse3', 'better3', 'amount6', 'amount7'];

const valuesOf = ({ rows }: Pick<HeatMapInput, 'rows'>): number[] =>
  rows.flatMap((row) => row.values.filter((value) => value !== null));

/** The shade of each value: equal steps to the largest distance from the middle, the same on both sides, or from least to most. */
export function shades(input: Pick<HeatMapInput, 'rows' | 'middle'>): (value: number) => Shade {
  const values = valuesOf(input);
  const { middle } = input;
  if (middle !== null) {
    const reach = Math.max(...values.map((v) => Math.abs(v - middle)), 1e-12);
    return (value) => diverging[Math.round(((value - middle) / reach) * 3) + 3] ?? 'equal';
  }
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const span = most - least || 1;
  return (value) =>
    amounts[Math.min(amounts.length - 1, Math.floor(((value - least) / span) * amounts.length))] ?? 'amount1';
}

const cellHeight = 30;
const foot = 44;
const top = 30;
/** Pixels that the matrix asks for: a line a row, its heads and its key. */
export const heatMapHeight = ({ rows }: Pick<HeatMapInput, 'rows'>): number => top + foot + rows.length * cellHeight;

export function heatMapOption(input: HeatMapInput, palette: Palette): ChartOption {
  const { rows, columns } = input;
  const marked = rows.some((row) => row.look !== null);
  const left = Math.min(220, Math.max(80, ...rows.map((row) => row.name.length * 6.4 + (marked ? 34 : 20))));
  const shadeOf = shades(input);
  const inCell = (value: number | null) => (value === null ? NO_VALUE : input.cell(value));
  const cells = rows.flatMap((row, r) => columns.map((_, c) => ({ value: row.values[c] ?? null, r, c })));
  return {
    ...base(palette),
    grid: { left, right: 12, top, bottom: foot },
    xAxis: { ...xAxis(palette, { labels: { show: false } }), min: 0, max: Math.max(1, columns.length), show: false },
    yAxis: { type: 'value', min: 0, max: Math.max(1, rows.length), inverse: true, show: false },
    series: [
      {
        id: 'scene',
        ...scene,
        z: 1,
        renderItem: (params) => {
          const area = areaOf(params);
          const [width, height] = [area.width / Math.max(1, columns.length), area.height / Math.max(1, rows.length)];
          const values = valuesOf(input);
          const key = input.middle === null ? amounts : diverging;
          const floor = area.y + area.height + 20;
          const { middle } = input;
          const reach = middle === null ? 0 : Math.max(0, ...values.map((v) => Math.abs(v - middle)));
          const [least, most] =
            middle === null ? [Math.min(...values), Math.max(...values)] : [middle - reach, middle + reach];
          const unit = input.unit === '' ? '' : ` ${input.unit}`;
          const words =
            middle === null
              ? [`${input.cell(least)}${unit}`, `${input.cell(most)}${unit}`]
              : [
                  t('worse, {cell}{unit}', { cell: input.cell(least), unit }),
                  t('{cell}{unit}, better', { cell: input.cell(most), unit }),
                ];
          const wide = (words[0] ?? '').length * 6.1 + 8;
          const bar = wide + key.length * 22 + 6;
          // Below the matrix where it fits, else as far left of that as it must.
          const start = Math.max(8, Math.min(area.x, area.x + area.width - bar - (words[1] ?? '').length * 6.1));
          return group([
            ...columns.map((name, c) =>
              text(area.x + (c + 0.5) * width, area.y - 12, name, palette, { align: 'center', width: width - 6 }),
            ),
            ...rows.flatMap((row, r) => {
              const y = area.y + (r + 0.5) * height;
              return [
                row.look ? mark(row.look.marker, 14, y, palette.method(row.look.colour), palette) : null,
                text(marked ? 26 : 8, y, row.name, palette, { colour: palette.text, width: left - (marked ? 34 : 16) }),
              ];
            }),
            ...(values.length === 0
              ? []
              : [
                  text(start, floor, words[0] ?? '', palette),
                  ...key.map((shade, i) => rect(start + wide + i * 22, floor - 6, 21, 12, palette[shade])),
                  text(start + bar, floor, words[1] ?? '', palette),
                ]),
          ]);
        },
      },
      {
        id: 'points',
        type: 'custom',
        z: 2,
        encode: { x: 0, y: 1 },
        data: cells.map(({ r, c }) => [c + 0.5, r + 0.5]),
        renderItem: (params) => {
          const cell = cells[params.dataIndex];
          if (!cell) return null;
          const area = areaOf(params);
          const [width, height] = [area.width / Math.max(1, columns.length), area.height / Math.max(1, rows.length)];
          const [x, y] = [area.x + cell.c * width, area.y + cell.r * height];
          const shade = cell.value === null ? null : shadeOf(cell.value);
          const words = inCell(cell.value);
          return group([
            target(x, y, width, height),
            rect(
              x + 1,
              y + 1,
              Math.max(1, width - 2),
              height - 2,
              shade === null ? palette.surfaceInset : palette[shade],
            ),
            width < words.length * 5.8
              ? null
              : text(x + width / 2, y + height / 2, words, palette, {
                  align: 'center',
                  colour: shade === null ? palette.text3 : deep.includes(shade) ? palette.surface : palette.text,
                }),
          ]);
        },
      },
    ],
  };
}

/** What is told of a cell under the pointer, counted row by row. */
export function heatMapTip(input: HeatMapInput, index: number): Tip | null {
  const row = input.rows[Math.floor(index / input.columns.length)];
  const column = input.columns[index % input.columns.length];
  if (!row || column === undefined) return null;
  const value = row.values[index % input.columns.length] ?? null;
  const unit = input.unit === '' ? '' : ` ${input.unit}`;
  return {
    title: row.name,
    lines: [{ name: column, value: value === null ? t('not measured') : `${input.cell(value)}${unit}` }],
  };
}

export function heatMapSummary(input: HeatMapInput): string {
  const lines = input.rows.map(
    (row) =>
      `${row.name}: ${input.columns
        .map((column, c) => {
          const value = row.values[c] ?? null;
          return `${column} ${value === null ? t('not measured') : input.cell(value)}`;
        })
        .join(', ')}.`,
  );
  return `${t('A matrix{unit}{middle}.', {
    unit: input.unit === '' ? '' : t(' in {unit}', { unit: input.unit }),
    middle: input.middle === null ? '' : t(', above {cell} better', { cell: input.cell(input.middle) }),
  })} ${lines.join(' ')}`;
}
export function heatMapTable(input: HeatMapInput): ChartTable {
  return {
    columns: ['', ...input.columns],
    rows: input.rows.map((row) => [row.name, ...input.columns.map((_, c) => row.values[c] ?? null)]),
  };
}
