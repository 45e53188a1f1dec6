/** Draws an option for real by ECharts on its SVG side. */
import { CustomChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { expect } from 'vitest';
import type { ChartOption } from '../../../electron/charting/chart-option.js';
import { paletteTokens, type Palette } from '../../../electron/charting/palette.js';

use([CustomChart, GridComponent, SVGRenderer]);
const colours = Object.fromEntries(
  Object.keys(paletteTokens).map((name, i) => [name, `rgb(${i},${i},${i})`]),
) as Record<keyof typeof paletteTokens, string>;

export const palette: Palette = {
  ...colours,
  font: 'sans-serif',
  size: 11,
  method: (token) => `rgb(200,0,${Number(token.at(-1)) || 0})`,
};
export const size = { width: 640, height: 320 };

export function draw(option: ChartOption): { texts: string[]; svg: string } {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  // Nothing moves, for anybody: who asks for less motion needs no charts of their own.
  expect(option.animation).toBe(false);
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return {
    svg,
    texts: [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((m) => (m[1] ?? '').replaceAll('&amp;', '&')),
  };
}
