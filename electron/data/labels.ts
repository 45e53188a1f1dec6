/** Classes: their numbering and their weights. */
import { StudioError } from '../contract/errors.js';
import type { Training } from '../contract/plan.js';

/** Labels in the order of their class index: by code point, as Python's `sorted`. */
export function sortLabels(labels: Iterable<string>): string[] {
  return [...labels].sort(byCodePoint);
}

/** UTF-16 order differs from code point order only where surrogates (U+D800 to U+DFFF) meet U+E000 and above. */
function byCodePoint(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const difference = (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/**
 * Weight of each class in the loss, or null for none.
 * "balanced" is scikit-learn's: rows / (classes that occur × rows of the class); a class without rows gets 1, which nothing uses.
 * @throws StudioError `bad-input` for a weight of an unknown label or a label without one
 */
export function classWeights(
  choice: Training['classWeights'],
  labels: readonly string[],
  counts: readonly number[],
): Float32Array | null {
  if (choice === null) return null;
  if (choice === 'balanced') {
    const rows = counts.reduce((sum, count) => sum + count, 0);
    const present = counts.filter((count) => count > 0).length;
    return Float32Array.from(labels, (_, index) =>
      (counts[index] ?? 0) === 0 ? 1 : rows / (present * (counts[index] ?? 1)),
    );
  }
  const unknown = Object.keys(choice).find((label) => !labels.includes(label));
  if (unknown !== undefined)
    throw new StudioError(
      'bad-input',
      `training.classWeights names the label "${unknown}", which the data set does not have.`,
      `Its labels are: ${labels.slice(0, 20).join(', ')}.`,
      { field: `training.classWeights.${unknown}` },
    );
  return Float32Array.from(labels, (label) => {
    const weight = Object.hasOwn(choice, label) ? choice[label] : undefined;
    if (weight === undefined)
      throw new StudioError(
        'bad-input',
        `training.classWeights lacks the label "${label}".`,
        'Give each label a weight, or "balanced".',
        { field: `training.classWeights.${label}` },
      );
    return weight;
  });
}
