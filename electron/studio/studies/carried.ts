/** Cells whose runs go on from what was trained on other data. */
import { StudioError } from '../../contract/errors.js';
import { hasHead, taskTable } from '../../contract/objectives.js';
import { keptMethod, validateMethod } from '../../engine/index.js';
import type { Asked, StudyMethod } from './kinds/kind.js';
import type { Cell } from './matrix.js';

/** Each task needs a head of its own above what the tasks share. @param why as the end of a sentence @throws StudioError 'bad-input' */
export function requireHeads({ datasets }: Asked, why: string): void {
  const without = datasets.find(({ task }) => !hasHead(taskTable[task].objective));
  if (without)
    throw new StudioError(
      'bad-input',
      `data: "${without.name}" is for writing text, which needs no head; ${why}.`,
      'Choose data sets of another task: classes, numbers, several labels, tags or questions.',
      { path: 'data' },
    );
}

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
