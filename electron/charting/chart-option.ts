/** ECharts as the option builders know it: types only, so that they draw in a window and without one. */
import type { CustomSeriesOption, LineSeriesOption } from 'echarts/charts';
import type { DataZoomComponentOption, GridComponentOption, TooltipComponentOption } from 'echarts/components';
import type { ComposeOption } from 'echarts/core';

export type ChartOption = ComposeOption<
  LineSeriesOption | CustomSeriesOption | GridComponentOption | TooltipComponentOption | DataZoomComponentOption
>;

/** A series that draws itself. */
export type CustomSeries = CustomSeriesOption;
type RenderItem = NonNullable<CustomSeriesOption['renderItem']>;
export type RenderParams = Parameters<RenderItem>[0];
export type RenderApi = Parameters<RenderItem>[1];
export type Drawn = NonNullable<ReturnType<RenderItem>>;

/** What is told of a mark under the pointer: a title and lines of name and value. */
export interface Tip {
  readonly title: string;
  readonly lines: readonly { readonly name: string; readonly value: string }[];
}
