/** Small constructors for what custom series draw, in pixels. */
import type { Drawn, RenderApi, RenderParams } from '../chart-option.js';
import type { Palette } from '../palette.js';
import { markerPath, type MarkerShape } from '../marker.js';

interface Stroke {
  readonly colour: string;
  readonly width?: number;
  readonly dash?: readonly number[];
}

/** The plot area of a custom series on a grid; ECharts leaves its sizes optional in the type. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export function areaOf(params: RenderParams): Area {
  const { x = 0, y = 0, width = 0, height = 0 } = params.coordSys as Partial<Area>;
  return { x, y, width, height };
}
/** Pixel of a data point. */
export function at(api: RenderApi, x: number, y: number): readonly [number, number] {
  const [px = 0, py = 0] = api.coord([x, y]);
  return [px, py];
}

export const line = (x1: number, y1: number, x2: number, y2: number, { colour, width = 1, dash }: Stroke): Drawn => ({
  type: 'line',
  shape: { x1, y1, x2, y2 },
  style: { stroke: colour, lineWidth: width, ...(dash ? { lineDash: [...dash] } : {}) },
  silent: true,
});
export const rect = (x: number, y: number, width: number, height: number, fill: string, opacity = 1): Drawn => ({
  type: 'rect',
  shape: { x, y, width, height },
  style: { fill, opacity },
  silent: true,
});
export const polyline = (
  points: readonly (readonly [number, number])[],
  { colour, width = 1, dash }: Stroke,
): Drawn => ({
  type: 'polyline',
  shape: { points: points.map(([x, y]) => [x, y]) },
  style: { fill: 'none', stroke: colour, lineWidth: width, ...(dash ? { lineDash: [...dash] } : {}) },
  silent: true,
});
export const text = (
  x: number,
  y: number,
  words: string,
  palette: Palette,
  options: {
    align?: 'left' | 'center' | 'right';
    colour?: string;
    base?: 'top' | 'middle' | 'bottom';
    bold?: boolean;
    width?: number;
  } = {},
): Drawn => ({
  type: 'text',
  silent: true,
  style: {
    x,
    y,
    text: words,
    fill: options.colour ?? palette.text2,
    fontFamily: palette.font,
    fontSize: palette.size,
    fontWeight: options.bold ? 600 : 400,
    align: options.align ?? 'left',
    verticalAlign: options.base ?? 'middle',
    ...(options.width ? { width: options.width, overflow: 'truncate' as const } : {}),
  },
});
/** A method's mark with a thin edge of the surface, or hollow where there is no interval. */
export const mark = (
  marker: MarkerShape,
  x: number,
  y: number,
  colour: string,
  palette: Palette,
  options: { radius?: number; hollow?: boolean } = {},
): Drawn => ({
  type: 'path',
  x,
  y,
  shape: { pathData: markerPath(marker, options.radius ?? 5) },
  style: options.hollow
    ? { fill: palette.surface, stroke: colour, lineWidth: 1.6 }
    : { fill: colour, stroke: palette.surface, lineWidth: 1 },
});
/** The sign of an interval that goes on beyond the scale; `dx` and `dy` say where to. */
export const arrow = (x: number, y: number, [dx, dy]: readonly [number, number], colour: string): Drawn => ({
  type: 'polygon',
  shape: {
    points: [
      [x, y],
      [x - dx * 8 + dy * 4.5, y - dy * 8 + dx * 4.5],
      [x - dx * 8 - dy * 4.5, y - dy * 8 - dx * 4.5],
    ],
  },
  style: { fill: colour },
  silent: true,
});
/** An invisible area that takes the pointer, so that a row answers in its whole height. */
export const target = (x: number, y: number, width: number, height: number): Drawn => ({
  type: 'rect',
  shape: { x, y, width, height },
  style: { fill: 'transparent' },
  z2: -1,
});
export const group = (children: readonly (Drawn | null)[]): Drawn => ({
  type: 'group',
  $mergeChildren: false,
  children: children.filter((c) => c !== null),
});
