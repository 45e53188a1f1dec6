/** The window's only door to ECharts: what is registered here is what it loads. */
import { CustomChart, LineChart } from 'echarts/charts';
import { DataZoomInsideComponent, GridComponent, TooltipComponent } from 'echarts/components';
import { use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

use([LineChart, CustomChart, GridComponent, TooltipComponent, DataZoomInsideComponent, CanvasRenderer]);

export { init, type ECharts } from 'echarts/core';
