/** Places names beside marks so that they cover neither marks nor each other. Greedy, in the order given. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export interface LabelRequest {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly gap: number;
}

const overlap = (a: Box, b: Box): number =>
  Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)) *
  Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));
const inside = (a: Box, area: Box): number => a.width * a.height - overlap(a, area);

/** Offsets tried in order of preference: right, left, then the corners, above, below, and farther ones. */
function candidates({ x, y, width, height, gap }: LabelRequest): Box[] {
  const out: Box[] = [];
  for (const far of [1, 2.2, 3.6]) {
    const g = gap * far;
    const right = x + g,
      left = x - g - width,
      middle = y - height / 2,
      above = y - g - height,
      below = y + g,
      centre = x - width / 2;
    const diagonal = gap * 0.4 * far;
    for (const [bx, by] of [
      [right, middle],
      [left, middle],
      [x + diagonal, above + gap * 0.3],
      [x + diagonal, below - gap * 0.3],
      [x - diagonal - width, above + gap * 0.3],
      [x - diagonal - width, below - gap * 0.3],
      [centre, above],
      [centre, below],
    ] as const)
      out.push({ x: bx, y: by, width, height });
  }
  return out;
}

/** One box a request, in the same order; what lies in `area` and covers least of `obstacles` and earlier labels wins. */
export function placeLabels(requests: readonly LabelRequest[], obstacles: readonly Box[], area: Box): Box[] {
  const placed: Box[] = [];
  for (const request of requests) {
    const options = candidates(request);
    let best = options[0] as Box,
      lowest = Infinity;
    for (const [rank, box] of options.entries()) {
      const cost =
        rank * 2 +
        inside(box, area) * 20 +
        placed.reduce((sum, other) => sum + overlap(box, other), 0) * 10 +
        obstacles.reduce((sum, other) => sum + overlap(box, other), 0) * 4;
      if (cost < lowest) [best, lowest] = [box, cost];
    }
    placed.push(best);
  }
  return placed;
}
