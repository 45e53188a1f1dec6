/** What every chart has in common: type, grid lines, tooltip box. */
import type { ChartOption, CustomSeries } from '../echarts.js';
import type { Palette } from '../palette.js';

export interface Size {
  readonly width: number;
  readonly height: number;
}

const axisText = (palette: Palette) => ({ color: palette.text2, fontFamily: palette.font, fontSize: palette.size });
const axisLabel = (palette: Palette) => ({ ...axisText(palette), hideOverlap: true });

interface Labels {
  readonly show?: boolean;
  readonly formatter?: (value: number) => string;
  readonly showMaxLabel?: boolean;
  readonly alignMinLabel?: 'left';
  readonly alignMaxLabel?: 'right';
}

/** The axis below: a line without ticks or grid, its name in the middle under it. */
export const xAxis = (
  palette: Palette,
  { name, nameGap = 22, labels }: { name?: string; nameGap?: number; labels: Labels },
) => ({
  type: 'value' as const,
  ...(name === undefined ? {} : { name, nameLocation: 'middle' as const, nameGap, nameTextStyle: axisText(palette) }),
  axisLine: { show: true, onZero: false, lineStyle: { color: palette.borderStrong, width: 1 } },
  axisTick: { show: false },
  splitLine: { show: false },
  axisLabel: { ...axisLabel(palette), ...labels },
});

/** The axis at the left: grid lines instead of a line, its unit at the top, `unitShift` pixels from the plot's edge. */
export const yAxis = (
  palette: Palette,
  { unit, unitShift = 0, labels }: { unit?: string; unitShift?: number; labels: Labels },
) => ({
  ...(unit === undefined
    ? {}
    : {
        name: unit,
        nameLocation: 'end' as const,
        nameGap: 10,
        nameTextStyle: { ...axisText(palette), align: 'left' as const, padding: [0, 0, 0, unitShift] },
      }),
  axisLine: { show: false },
  axisTick: { show: false },
  splitLine: { show: true, lineStyle: { color: palette.grid, width: 1 } },
  axisLabel: { ...axisLabel(palette), ...labels },
});

/** A custom series that draws once, answers no pointer and stretches no axis. */
export const scene = {
  type: 'custom',
  data: [['-', '-']],
  silent: true,
  tooltip: { show: false },
} satisfies CustomSeries;

/** Base of an option: no animation (live curves extend without easing), system type. */
export function base(palette: Palette): ChartOption {
  return {
    animation: false,
    textStyle: { fontFamily: palette.font, fontSize: palette.size, color: palette.text2 },
    backgroundColor: 'transparent',
  };
}

/** Tooltip of lines of "name value", built as nodes: no markup from data, no inline style that a strict CSP would refuse. */
export function tooltipNode(
  title: string,
  lines: readonly { readonly name: string; readonly value: string }[],
): HTMLElement {
  const box = document.createElement('div');
  box.className = 'chart-tip';
  const head = document.createElement('b');
  head.textContent = title;
  box.append(head);
  for (const { name, value } of lines) {
    const row = document.createElement('div');
    const left = document.createElement('span');
    left.textContent = name;
    const right = document.createElement('span');
    right.textContent = value;
    row.append(left, right);
    box.append(row);
  }
  return box;
}

const tooltip = (palette: Palette) => ({
  confine: true,
  transitionDuration: 0,
  backgroundColor: palette.overlay,
  borderColor: palette.border,
  borderWidth: 1,
  padding: 8,
  textStyle: { color: palette.text, fontFamily: palette.font, fontSize: palette.size + 1 },
  extraCssText: 'box-shadow: var(--shadow-2); border-radius: var(--r-2);',
});

const field = (params: unknown, name: string): unknown => {
  const first: unknown = Array.isArray(params) ? params[0] : params;
  return typeof first === 'object' && first !== null && name in first ? first[name as keyof typeof first] : undefined;
};

/** Told when the pointer stands on a mark; `describe` takes the mark's place in its series. */
export const itemTooltip = (palette: Palette, describe: (index: number) => HTMLElement | null) => ({
  ...tooltip(palette),
  trigger: 'item' as const,
  formatter: (params: unknown) => describe(Number(field(params, 'dataIndex') ?? -1)) ?? '',
});

/** Told anywhere in the plot, with a line at the value of x below the pointer. */
export const axisTooltip = (palette: Palette, describe: (x: number) => HTMLElement | null) => ({
  ...tooltip(palette),
  trigger: 'axis' as const,
  axisPointer: {
    type: 'line' as const,
    lineStyle: { color: palette.borderStrong, type: 'solid' as const, width: 1 },
  },
  formatter: (params: unknown) => {
    const x = Number(field(params, 'axisValue') ?? Number.NaN);
    return (Number.isFinite(x) ? describe(x) : null) ?? '';
  },
});

/** Zoom along x by Ctrl and wheel (a bare wheel scrolls the page), move by Shift and drag. */
export const insideZoom = {
  type: 'inside' as const,
  xAxisIndex: 0,
  filterMode: 'none' as const,
  zoomOnMouseWheel: 'ctrl' as const,
  moveOnMouseMove: 'shift' as const,
  moveOnMouseWheel: false,
};
