import { describe, expect, it } from 'vitest';
import { placeLabels, type Box } from '../../../electron/charting/labels.js';

const area = { x: 0, y: 0, width: 400, height: 200 };
const apart = (a: Box, b: Box) =>
  a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;

describe('placeLabels', () => {
  it('stands right of a lone mark', () => {
    expect(placeLabels([{ x: 100, y: 100, width: 50, height: 12, gap: 10 }], [], area)[0]).toEqual({
      x: 110,
      y: 94,
      width: 50,
      height: 12,
    });
  });

  it('keeps the names of four close marks off each other and off the marks', () => {
    const marks = [
      [200, 100],
      [214, 98],
      [206, 112],
      [190, 104],
    ] as const;
    const obstacles = marks.map(([x, y]) => ({ x: x - 6, y: y - 6, width: 12, height: 12 }));
    const boxes = placeLabels(
      marks.map(([x, y]) => ({ x, y, width: 60, height: 13, gap: 10 })),
      obstacles,
      area,
    );
    for (const [i, box] of boxes.entries()) {
      for (const other of boxes.slice(i + 1)) expect(apart(box, other)).toBe(true);
      for (const mark of obstacles) expect(apart(box, mark)).toBe(true);
    }
  });

  it('stays inside at the right edge', () => {
    const box = placeLabels([{ x: 395, y: 100, width: 80, height: 12, gap: 10 }], [], area)[0];
    expect(box && box.x + box.width <= 400).toBe(true);
  });
});
