/** Cells whose runs go on from what was trained on other data. */
import { keptMethod, validateMethod } from '../../engine/index.js';
import type { StudyMethod } from './kinds/kind.js';
import type { Cell } from './matrix.js';

/** The method that reads what a run of it kept, and trains it on. */
const goingOn = (method: StudyMethod): StudyMethod => ({
  ...method,
  options: keptMethod(validateMethod(method.options)),
});

/** What `from` trained, trained on in the place of `cell`. */
export const tunedOn = (cell: Cell, from: Cell): Cell => ({
  ...cell,
  key: `${cell.key}/${from.key}/tuned`,
  carried: { from, how: 'tuned', trains: goingOn(cell.method) },
});

/** What `from` trained, frozen below a new head in the place of `cell`. */
export const frozenBelow = (cell: Cell, from: Cell, head: StudyMethod): Cell => ({
  ...cell,
  key: `${cell.key}/${from.key}/frozen`,
  carried: { from, how: 'frozen', trains: head },
});
