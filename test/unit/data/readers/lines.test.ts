import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textLines } from '../../../../electron/data/readers/lines.js';

async function lines(text: string, size: number, limit?: number) {
  async function* pieces() {
    for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
  }
  const all = [];
  for await (const lines of textLines(pieces(), limit)) all.push(...lines);
  return all;
}

test('lines and their numbers do not depend on how the text is cut', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r', '\r\n', '😀'), maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 7 }), async (content, size) => {
      const expected = content.split(/\r\n?|\n/);
      if (expected.at(-1) === '') expected.pop();
      const found = await lines(content, size);
      expect(found.map((line) => line.text)).toEqual(expected);
      expect(found.map((line) => line.line)).toEqual(expected.map((_, index) => index + 1));
    }),
  );
});

test('a line over the limit is marked and not held', async () => {
  expect(await lines('short\nmuch too long\nend', 4, 8)).toEqual([
    { line: 1, text: 'short', tooLong: false },
    { line: 2, text: '', tooLong: true },
    { line: 3, text: 'end', tooLong: false },
  ]);
});
