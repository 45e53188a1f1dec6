/** The only door to ECharts: what is registered here is what the window loads. */
import { CustomChart, LineChart } from 'echarts/charts';
import { DataZoomInsideComponent, GridComponent, TooltipComponent } from 'echarts/components';
import { use, type ComposeOption } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { CustomSeriesOption, LineSeriesOption } from 'echarts/charts';
import type { DataZoomComponentOption, GridComponentOption, TooltipComponentOption } from 'echarts/components';

use([LineChart, CustomChart, GridComponent, TooltipComponent, DataZoomInsideComponent, CanvasRenderer]);

export { init, type ECharts } from 'echarts/core';
export type ChartOption = ComposeOption<
  LineSeriesOption | CustomSeriesOption | GridComponentOption | TooltipComponentOption | DataZoomComponentOption
>;

/** A series that draws itself. */
export type CustomSeries = CustomSeriesOption;
type RenderItem = NonNullable<CustomSeriesOption['renderItem']>;
export type RenderParams = Parameters<RenderItem>[0];
export type RenderApi = Parameters<RenderItem>[1];
export type Drawn = NonNullable<ReturnType<RenderItem>>;
