/** How an answer is held against those that are expected: as the official scripts of SQuAD 1.1 and 2.0 have it. */

/** Lower case, no punctuation (ASCII), no articles, single blanks. */
export function normalizeAnswer(text: string): string {
  return text
    .toLowerCase()
    .replace(/[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g, '')
    .replace(/(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu, ' ')
    .split(/\s+/)
    .filter((word) => word !== '')
    .join(' ');
}

/** F1 of the words that two answers share; where either is empty, whether both are. */
export function wordF1(expected: string, answer: string): number {
  const words = (text: string) =>
    normalizeAnswer(text)
      .split(' ')
      .filter((word) => word !== '');
  const [right, given] = [words(expected), words(answer)];
  if (right.length === 0 || given.length === 0) return right.length === given.length ? 1 : 0;
  const left = new Map<string, number>();
  for (const word of right) left.set(word, (left.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of given) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    shared += 1;
    left.set(word, count - 1);
  }
  if (shared === 0) return 0;
  const [precision, recall] = [shared / given.length, shared / right.length];
  return (2 * precision * recall) / (precision + recall);
}

/** The best over the expected answers; without one the right answer is the empty text. */
export function answerScores(expected: readonly string[], answer: string): { exact: number; f1: number } {
  const right = expected.filter((text) => normalizeAnswer(text) !== '');
  const all = right.length === 0 ? [''] : right;
  return {
    exact: all.some((text) => normalizeAnswer(text) === normalizeAnswer(answer)) ? 1 : 0,
    f1: Math.max(...all.map((text) => wordF1(text, answer))),
  };
}
