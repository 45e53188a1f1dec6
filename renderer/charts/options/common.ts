/** What every chart has in common: type, grid lines, tooltip box. */
import type { ChartOption } from '../echarts.js';
import type { Palette } from '../palette.js';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const axisLabel = (palette: Palette) => ({
  color: palette.text2,
  fontFamily: palette.font,
  fontSize: palette.size,
  hideOverlap: true,
});
export const axisName = (palette: Palette) => ({
  color: palette.text2,
  fontFamily: palette.font,
  fontSize: palette.size,
});
export const splitLine = (palette: Palette) => ({ show: true, lineStyle: { color: palette.grid, width: 1 } });
export const axisLine = (palette: Palette) => ({
  show: true,
  onZero: false,
  lineStyle: { color: palette.borderStrong, width: 1 },
});

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

export const tooltip = (palette: Palette) => ({
  confine: true,
  transitionDuration: 0,
  backgroundColor: palette.overlay,
  borderColor: palette.border,
  borderWidth: 1,
  padding: 8,
  textStyle: { color: palette.text, fontFamily: palette.font, fontSize: palette.size + 1 },
  extraCssText: 'box-shadow: var(--shadow-2); border-radius: var(--r-2);',
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
