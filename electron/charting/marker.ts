/** Marker shapes, one per method, as SVG paths around (0, 0); drawn everywhere the same. */
import type { MethodInfo } from '../contract/index.js';

export type MarkerShape = MethodInfo['marker'];
/** How a method looks in every table, legend and plot: colour token ("cat-1") and shape, so that colour is never the only sign. */
export type MethodLook = Pick<MethodInfo, 'colour' | 'marker'>;

const round = (value: number) => Number(value.toFixed(2));
const polygon = (points: readonly (readonly [number, number])[]) =>
  `M${points.map(([x, y]) => `${round(x)} ${round(y)}`).join('L')}Z`;
const ring = (count: number, radius: (index: number) => number, from: number) =>
  polygon(
    Array.from(
      { length: count },
      (_, i) =>
        [
          radius(i) * Math.cos(from + (i * 2 * Math.PI) / count),
          radius(i) * Math.sin(from + (i * 2 * Math.PI) / count),
        ] as const,
    ),
  );
/** A circle, or with the other sweep a hole in one: paths are filled by the direction they run in. */
const circle = (r: number, sweep: 0 | 1 = 0) =>
  `M${-round(r)} 0A${round(r)} ${round(r)} 0 1 ${sweep} ${round(r)} 0A${round(r)} ${round(r)} 0 1 ${sweep} ${-round(r)} 0Z`;
/** A square, or mirrored a hole in one. */
const square = (s: number, mirror = 1) =>
  polygon([
    [-s * mirror, -s],
    [s * mirror, -s],
    [s * mirror, s],
    [-s * mirror, s],
  ]);

/** Path data of a shape of about radius `r`. */
export function markerPath(shape: MarkerShape, r = 4.4): string {
  switch (shape) {
    case 'diamond':
      return polygon([
        [0, -r * 1.27],
        [r * 1.27, 0],
        [0, r * 1.27],
        [-r * 1.27, 0],
      ]);
    case 'circle':
      return circle(r);
    case 'triangle':
      return polygon([
        [0, -r - 0.8],
        [r + 0.6, r - 0.4],
        [-r - 0.6, r - 0.4],
      ]);
    case 'triangle-down':
      return polygon([
        [0, r + 0.8],
        [r + 0.6, -r + 0.4],
        [-r - 0.6, -r + 0.4],
      ]);
    case 'triangle-left':
      return polygon([
        [-r - 0.8, 0],
        [r - 0.4, -r - 0.6],
        [r - 0.4, r + 0.6],
      ]);
    case 'triangle-right':
      return polygon([
        [r + 0.8, 0],
        [-r + 0.4, r + 0.6],
        [-r + 0.4, -r - 0.6],
      ]);
    case 'trapezoid':
      return polygon([
        [-r * 0.55, -r + 0.5],
        [r * 0.55, -r + 0.5],
        [r + 0.9, r - 0.5],
        [-r - 0.9, r - 0.5],
      ]);
    case 'square':
      return square(r - 0.4);
    case 'plus': {
      const s = r * 0.42;
      const t = r + 0.8;
      return polygon([
        [-s, -t],
        [s, -t],
        [s, -s],
        [t, -s],
        [t, s],
        [s, s],
        [s, t],
        [-s, t],
        [-s, s],
        [-t, s],
        [-t, -s],
        [-s, -s],
      ]);
    }
    case 'hexagon':
      return ring(6, () => r + 0.5, 0);
    case 'hourglass':
      return polygon([
        [-r - 0.6, -r + 0.4],
        [r + 0.6, -r + 0.4],
        [0, 0],
        [r + 0.6, r - 0.4],
        [-r - 0.6, r - 0.4],
        [0, 0],
      ]);
    case 'stairs':
      return polygon([
        [-r - 0.4, r + 0.4],
        [-r - 0.4, r * 0.3],
        [-r * 0.35, r * 0.3],
        [-r * 0.35, -r * 0.35],
        [r * 0.3, -r * 0.35],
        [r * 0.3, -r - 0.4],
        [r + 0.4, -r - 0.4],
        [r + 0.4, r + 0.4],
      ]);
    case 'cross': {
      const s = r * 0.55;
      const t = r + 0.3;
      return polygon([
        [-t, -t + s],
        [-t + s, -t],
        [0, -s],
        [t - s, -t],
        [t, -t + s],
        [s, 0],
        [t, t - s],
        [t - s, t],
        [0, s],
        [-t + s, t],
        [-t, t - s],
        [-s, 0],
      ]);
    }
    case 'star':
      return ring(10, (i) => (i % 2 ? r * 0.5 : r + 1.2), -Math.PI / 2);
    case 'frame':
      return square(r - 0.1) + square(r * 0.42, -1);
    case 'bowtie':
      return polygon([
        [-r + 0.4, -r - 0.6],
        [0, 0],
        [r - 0.4, -r - 0.6],
        [r - 0.4, r + 0.6],
        [0, 0],
        [-r + 0.4, r + 0.6],
      ]);
    case 'ring':
      return circle(r + 0.3) + circle(r * 0.48, 1);
    case 'house':
      return polygon([
        [0, -r - 1],
        [r + 0.4, -r * 0.1],
        [r + 0.4, r],
        [-r - 0.4, r],
        [-r - 0.4, -r * 0.1],
      ]);
    case 'chevron':
      return polygon([
        [-r - 0.4, -r],
        [0, -r * 0.1],
        [r + 0.4, -r],
        [r + 0.4, r * 0.1],
        [0, r + 0.6],
        [-r - 0.4, r * 0.1],
      ]);
    case 'bubble':
      return polygon([
        [-r - 0.6, -r - 0.2],
        [r + 0.6, -r - 0.2],
        [r + 0.6, r * 0.45],
        [0, r * 0.45],
        [-r * 0.45, r + 0.8],
        [-r * 0.6, r * 0.45],
        [-r - 0.6, r * 0.45],
      ]);
    case 'pentagon':
      return ring(5, () => r + 0.9, -Math.PI / 2);
  }
}
