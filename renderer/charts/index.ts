export { default as LineChart } from './LineChart.svelte';
export { default as SmallLine } from './SmallLine.svelte';
export { markerPath, type Marker, type MethodLook } from './markers.js';
export type { ChartFile, ChartTable } from './csv.js';
export type { Sample } from './series.js';
export type { LineInput, ValidationSample } from './options/line.js';
export type { SmallInput } from './options/small.js';
