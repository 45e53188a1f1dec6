/** Figures as SVG, drawn by ECharts without a window. */
import { CustomChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { FigureChart } from '../charting/figure.js';
import type { Palette } from '../charting/palette.js';

use([CustomChart, GridComponent, SVGRenderer]);

/** Without what answers a pointer: a page that runs nothing has no use for it. */
const still = (svg: string): string =>
  svg
    .replace(/<style[\s\S]*?<\/style>\n?/g, '')
    .replace(/<(path|rect) [^>]*pointer-events="visible"[^>]*><\/\1>\n?/g, '')
    .replace(/ (?:ecmeta_\w+|class)="[^"]*"/g, '');

/** `id` keeps what a picture names apart from the other pictures of the page. Width in pixels; the height is the chart's own. */
export function picture(chart: FigureChart, palette: Palette, { width, id }: { width: number; id: string }): string {
  const size = { width, height: chart.height };
  const drawn = init(null, null, { renderer: 'svg', ssr: true, ...size });
  try {
    drawn.setOption(chart.option(palette, size));
    return still(drawn.renderToSVGString()).replace(/\bzr\d+-/g, `${id}-`);
  } finally {
    drawn.dispose();
  }
}
