/** What a chart does under the pointer: the box that tells of a mark, and the zoom. */
import type { Tip } from '../../electron/charting/chart-option.js';
import type { Palette } from '../../electron/charting/palette.js';

/** Tooltip of lines of "name value", built as nodes: no markup from data, no inline style that a strict CSP would refuse. */
function tooltipNode({ title, lines }: Tip): HTMLElement {
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

const shown = (tip: Tip | null): HTMLElement | string => (tip === null ? '' : tooltipNode(tip));

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
export const itemTooltip = (palette: Palette, describe: (index: number) => Tip | null) => ({
  ...tooltip(palette),
  trigger: 'item' as const,
  formatter: (params: unknown) => shown(describe(Number(field(params, 'dataIndex') ?? -1))),
});

/** Told anywhere in the plot, with a line at the value of x below the pointer. */
export const axisTooltip = (palette: Palette, describe: (x: number) => Tip | null) => ({
  ...tooltip(palette),
  trigger: 'axis' as const,
  axisPointer: {
    type: 'line' as const,
    lineStyle: { color: palette.borderStrong, type: 'solid' as const, width: 1 },
  },
  formatter: (params: unknown) => {
    const x = Number(field(params, 'axisValue') ?? Number.NaN);
    return shown(Number.isFinite(x) ? describe(x) : null);
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
