/** Marker shapes: one a method, the same in tables, legends and plots, so that colour is never the only sign. */
import type { MethodInfo } from '../../electron/contract/index.js';

export type Marker = MethodInfo['marker'];

/** How a method looks everywhere: its name, colour token ("cat-1") and shape. */
export interface MethodLook {
  readonly title: string;
  readonly colour: string;
  readonly marker: Marker;
}

type Point = readonly [number, number];

const polygon = (points: readonly Point[]): string => `M${points.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join('L')}Z`;
const ring = (count: number, start: number, radius: (i: number) => number, x: number, y: number): Point[] =>
  Array.from({ length: count }, (_, i) => {
    const angle = start + (i * 2 * Math.PI) / count;
    return [x + radius(i) * Math.cos(angle), y + radius(i) * Math.sin(angle)] as const;
  });

/** Sizes are balanced by eye so that shapes of one radius look equally heavy. */
const shapes: Record<Marker, (x: number, y: number, r: number) => string> = {
  diamond: (x, y, r) => polygon([[x, y - r * 1.27], [x + r * 1.27, y], [x, y + r * 1.27], [x - r * 1.27, y]]),
  circle: (x, y, r) => `M${x - r} ${y}A${r} ${r} 0 1 1 ${x + r} ${y}A${r} ${r} 0 1 1 ${x - r} ${y}Z`,
  triangle: (x, y, r) => polygon([[x, y - r - 0.8], [x + r + 0.6, y + r - 0.4], [x - r - 0.6, y + r - 0.4]]),
  'triangle-down': (x, y, r) => polygon([[x, y + r + 0.8], [x + r + 0.6, y - r + 0.4], [x - r - 0.6, y - r + 0.4]]),
  square: (x, y, r) => polygon([[x - r + 0.4, y - r + 0.4], [x + r - 0.4, y - r + 0.4], [x + r - 0.4, y + r - 0.4], [x - r + 0.4, y + r - 0.4]]),
  plus: (x, y, r) => {
    const s = r * 0.42, t = r + 0.8;
    return polygon([[x - s, y - t], [x + s, y - t], [x + s, y - s], [x + t, y - s], [x + t, y + s], [x + s, y + s], [x + s, y + t], [x - s, y + t], [x - s, y + s], [x - t, y + s], [x - t, y - s], [x - s, y - s]]);
  },
  hexagon: (x, y, r) => polygon(ring(6, 0, () => r + 0.5, x, y)),
  hourglass: (x, y, r) => polygon([[x - r - 0.6, y - r + 0.4], [x + r + 0.6, y - r + 0.4], [x, y], [x + r + 0.6, y + r - 0.4], [x - r - 0.6, y + r - 0.4], [x, y]]),
  star: (x, y, r) => polygon(ring(10, -Math.PI / 2, (i) => (i % 2 ? r * 0.5 : r + 1.2), x, y)),
};

/** SVG path data of a marker about (x, y) in pixels with the radius of its circle. */
export function markerPath(marker: Marker, x: number, y: number, radius = 4.5): string {
  return shapes[marker](x, y, radius);
}
