/** A report's figure as a chart: one reading of it for the window and for every file that leaves the app. */
import { measureTable, type ReportFigure, type Unit } from '../contract/index.js';
import type { ChartOption, Tip } from './chart-option.js';
import type { ChartTable } from './csv.js';
import type { MarkerShape, MethodLook } from './marker.js';
import {
  curvesHeight,
  curvesOption,
  curvesSummary,
  curvesTable,
  curvesTip,
  type CurvesInput,
} from './options/curves.js';
import { forestOption, forestSummary, forestTable, forestTip, type ForestInput } from './options/forest.js';
import {
  heatMapHeight,
  heatMapOption,
  heatMapSummary,
  heatMapTable,
  heatMapTip,
  type HeatMapInput,
} from './options/heat-map.js';
import {
  paretoOption,
  paretoSummary,
  paretoTable,
  paretoTip,
  type ParetoAxis,
  type ParetoInput,
} from './options/pareto.js';
import type { Size } from './options/common.js';
import type { Palette } from './palette.js';
import { said, t } from '../language/index.js';
import { unitWords, withUnit } from './units.js';

/** Colour and shape of a method by its type; null where no method of that name is known. */
export type Looks = (type: string) => MethodLook | null;

export interface FigureChart {
  /** In place of the picture, for who does not see it. */
  readonly summary: string;
  readonly table: ChartTable;
  /** Pixels that it asks for. */
  readonly height: number;
  /** Does zooming along x make sense? */
  readonly zoom: boolean;
  readonly option: (palette: Palette, size: Size) => ChartOption;
  readonly tip: (index: number) => Tip | null;
}

/** Shapes of what is no method, in ink: told apart by shape and name. */
const plainShapes: readonly MarkerShape[] = [
  'circle',
  'square',
  'triangle',
  'triangle-down',
  'diamond',
  'hexagon',
  'plus',
  'star',
];
const plain = (index: number): MethodLook => ({
  colour: 'cat-ref',
  marker: plainShapes[index % plainShapes.length] ?? 'circle',
});
const lookOf = (looks: Looks, type: string | null, index: number): MethodLook =>
  (type === null ? null : looks(type)) ?? plain(index);

type Axis = { readonly title: string; readonly unit: Unit };
function axisOf({ title, unit }: Axis): ParetoAxis & { readonly share: boolean } {
  const { name, written, tick } = unitWords(unit);
  const words = said(title);
  return {
    title: words,
    unit: withUnit(words, unit) === words ? '' : t(name),
    written,
    tick,
    share: unit === 'share' || unit === 'percent',
  };
}
const ends = (interval: { readonly low: number; readonly high: number } | null, scale: number) => ({
  low: interval && Math.min(interval.low * scale, interval.high * scale),
  high: interval && Math.max(interval.low * scale, interval.high * scale),
});

function forestOf(figure: Extract<ReportFigure, { kind: 'forest' }>, looks: Looks): ForestInput {
  const { name, scale } = unitWords(figure.axis.unit);
  return {
    rows: figure.rows.map((row, i) => ({
      key: `${i}`,
      name: row.label,
      look: lookOf(looks, row.type, i),
      mean: row.mean * scale,
      ...ends(row.interval, scale),
      verdict: null,
    })),
    zone: figure.zone,
    unit: name === '' ? said(figure.axis.title) : name,
    axis: withUnit(said(figure.axis.title), figure.axis.unit),
    highlight: null,
  };
}

/** Losses, and measures that are better the lower they are: drawn with lower above higher. */
const lowerIsBetter = ({ title, unit }: Axis): boolean =>
  unit === 'nats' || Object.values(measureTable).some(({ name, better }) => better === 'lower' && title.endsWith(name));

function paretoOf(figure: Extract<ReportFigure, { kind: 'pareto' }>, looks: Looks): ParetoInput {
  const mirrored = lowerIsBetter(figure.y);
  const [x, y] = [unitWords(figure.x.unit).scale, unitWords(figure.y.unit).scale * (mirrored ? -1 : 1)];
  return {
    mirrored,
    points: figure.points.map((point, i) => ({
      key: `${i}`,
      name: point.label,
      look: lookOf(looks, point.type, i),
      x: point.x * x,
      mean: point.y * y,
      ...ends(point.interval, y),
      baseline: point.type === 'full',
    })),
    x: { ...axisOf(figure.x), log: figure.x.log },
    y: axisOf(figure.y),
    highlight: null,
  };
}

function curvesOf(figure: Extract<ReportFigure, { kind: 'curves' }>, looks: Looks): CurvesInput {
  const [x, y] = [unitWords(figure.x.unit), unitWords(figure.y.unit)];
  return {
    series: figure.series.map((series, i) => ({
      key: `${i}`,
      name: series.label,
      look: lookOf(looks, series.type, i),
      points: series.points.map((point) => ({
        x: point.x * x.scale,
        mean: point.mean * y.scale,
        ...ends(point.interval, y.scale),
      })),
    })),
    x: { title: withUnit(said(figure.x.title), figure.x.unit), log: figure.x.log, tick: x.tick, places: figure.places },
    y: axisOf(figure.y),
    highlight: null,
  };
}

function heatMapOf(figure: Extract<ReportFigure, { kind: 'heat-map' }>, looks: Looks): HeatMapInput {
  const { name, scale, cell } = unitWords(figure.unit);
  return {
    columns: figure.columns,
    rows: figure.rows.map((row, i) => ({
      key: `${i}`,
      name: row.label,
      look: row.type === null ? null : lookOf(looks, row.type, i),
      values: row.values.map((value) => (value === null ? null : value * scale)),
    })),
    middle: figure.middle === null ? null : figure.middle * scale,
    unit: t(name),
    cell,
  };
}

/** The chart of a figure: what it draws, tells and holds. */
export function chartOf(figure: ReportFigure, looks: Looks): FigureChart {
  switch (figure.kind) {
    case 'forest': {
      const input = forestOf(figure, looks);
      return {
        summary: forestSummary(input),
        table: forestTable(input),
        height: input.rows.length * 30 + 76,
        zoom: true,
        option: (palette) => forestOption(input, palette),
        tip: (index) => forestTip(input, index),
      };
    }
    case 'pareto': {
      const input = paretoOf(figure, looks);
      return {
        summary: paretoSummary(input),
        table: paretoTable(input),
        height: 320,
        zoom: true,
        option: (palette, size) => paretoOption(input, palette, size),
        tip: (index) => paretoTip(input, index),
      };
    }
    case 'curves': {
      const input = curvesOf(figure, looks);
      return {
        summary: curvesSummary(input),
        table: curvesTable(input),
        height: curvesHeight(input),
        zoom: true,
        option: (palette, size) => curvesOption(input, palette, size),
        tip: (index) => curvesTip(input, index),
      };
    }
    case 'heat-map': {
      const input = heatMapOf(figure, looks);
      return {
        summary: heatMapSummary(input),
        table: heatMapTable(input),
        height: heatMapHeight(input),
        zoom: false,
        option: (palette) => heatMapOption(input, palette),
        tip: (index) => heatMapTip(input, index),
      };
    }
  }
}
