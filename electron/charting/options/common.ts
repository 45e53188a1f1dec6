/** What every chart has in common: type, grid lines, tooltip box. */
import type { ChartOption, CustomSeries } from '../chart-option.js';
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
