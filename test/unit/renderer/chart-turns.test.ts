import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { inTurn } from '../../../renderer/charts/turns.js';

let frames: (() => void)[] = [];
const frame = () => frames.splice(0).forEach((call) => call());
beforeEach(() => {
  frames = [];
  vi.stubGlobal('requestAnimationFrame', (call: () => void) => frames.push(call));
});
afterEach(() => vi.unstubAllGlobals());

it('draws one chart a frame, in order, and leaves out what was taken back', () => {
  const drawn: string[] = [];
  inTurn(() => drawn.push('a'));
  const takeBack = inTurn(() => drawn.push('b'));
  inTurn(() => drawn.push('c'));
  expect(drawn).toEqual([]);
  frame();
  expect(drawn).toEqual(['a']);
  takeBack();
  frame();
  expect(drawn).toEqual(['a', 'c']);
  frame();
  inTurn(() => drawn.push('d'));
  frame();
  expect(drawn).toEqual(['a', 'c', 'd']);
});

it('goes on after a drawing that fails', () => {
  const drawn: string[] = [];
  inTurn(() => {
    throw new Error('no canvas');
  });
  inTurn(() => drawn.push('a'));
  expect(frame).toThrow('no canvas');
  frame();
  expect(drawn).toEqual(['a']);
});
