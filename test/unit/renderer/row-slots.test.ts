import { expect, it } from 'vitest';
import { RowSlots } from '../../../renderer/components/row-slots.js';

it('rows that stay keep their elements, rows that come take those of rows that went', () => {
  const slots = new RowSlots();
  expect([...slots.place(0, 3)]).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 4],
  ]);
  expect([...slots.place(1, 4)]).toEqual([
    [1, 2],
    [2, 3],
    [3, 4],
    [4, 1],
  ]);
  expect([...slots.place(0, 3).keys()]).toEqual([0, 1, 2, 3]);
  expect(slots.place(0, 3).get(0)).toBe(1);
});

it('far away all elements stay in their order', () => {
  const slots = new RowSlots();
  slots.place(0, 3);
  const before = [...slots.place(2, 5).values()];
  expect([...slots.place(900, 903).values()]).toEqual(before);
});

it('a row that is held gives its element to no other', () => {
  const slots = new RowSlots();
  const held = slots.place(0, 3).get(2);
  expect(slots.place(1, 4, [2]).get(2)).toBe(held);
  const after = slots.place(100, 103, [2]);
  expect(new Set(after.values()).size).toBe(4);
  expect([...after.values()]).not.toContain(held);
});

it('has as many elements as rows, none twice, however the list grows and shrinks', () => {
  const slots = new RowSlots();
  for (const [first, last] of [
    [0, 9],
    [5, 9],
    [7, 30],
    [0, -1],
    [3, 5],
  ] as const) {
    const shown = slots.place(first, last);
    expect([...shown.keys()]).toEqual(Array.from({ length: last - first + 1 }, (_, i) => first + i));
    expect(new Set(shown.values()).size).toBe(shown.size);
  }
});
