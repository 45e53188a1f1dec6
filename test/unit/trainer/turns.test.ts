/** Two ways timed in turns: neither is favoured by its place, and only what the turns show is told. */
import { expect, it } from 'vitest';
import { inTurns } from '../../../electron/trainer/turns.js';

/** Works for about as long on any machine that is otherwise as busy. */
const busy = (milliseconds: number) => async (): Promise<void> => {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
};

it('tells the slower of two by its share', async () => {
  const found = await inTurns([busy(4), busy(40)], 2);
  expect(found.turns).toBeGreaterThanOrEqual(6);
  expect(found.decision).toBe('more');
  expect(found.interval?.low).toBeGreaterThan(1);
  expect(found.first).toBeGreaterThanOrEqual(2);
  expect(found.second).toBeGreaterThanOrEqual(20);
});

it('claims nothing where the turns contradict each other, and takes turns at being first', async () => {
  const order: string[] = [];
  let turn = 0;
  const way = (name: string, slowAt: (turn: number) => boolean) => async () => {
    order.push(name);
    await busy(slowAt(Math.floor(turn++ / 2)) ? 30 : 3)();
  };
  const found = await inTurns([way('a', (at) => at % 2 === 0), way('b', (at) => at % 2 === 1)], 1);
  expect(found.decision).toBe('undecided');
  expect(order.slice(0, 6)).toEqual(['a', 'b', 'b', 'a', 'a', 'b']);
  expect(order).toHaveLength(found.turns * 2);
});
