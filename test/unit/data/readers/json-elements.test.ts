import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonArraySplitter } from '../../../../electron/data/readers/json-elements.js';

function split(text: string, size = Infinity) {
  const splitter = new JsonArraySplitter();
  const elements = [];
  for (let at = 0; at < text.length; at += Math.min(size, text.length))
    elements.push(...splitter.feed(text.slice(at, at + size)));
  splitter.end();
  return { elements, failure: splitter.failure };
}

describe('JsonArraySplitter', () => {
  test('cuts any array as JSON.parse reads it, in any pieces, and knows lines', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 6 }),
        fc.constantFrom(undefined, 1, 2),
        fc.integer({ min: 1, max: 50 }),
        (values, indent, size) => {
          const text = JSON.stringify(values, null, indent);
          const { elements, failure } = split(text, size);
          expect(failure).toBeNull();
          expect(elements.map((element) => JSON.parse(element.text))).toEqual(JSON.parse(text));
          if (indent === undefined) expect(elements.every(({ line }) => line === 1)).toBe(true);
        },
      ),
    );
  });

  test('finds the array of objects inside a wrapper', () => {
    const { elements, failure } = split(
      '{"version": "1 [{", "tags": ["a", [1]], "more": {"x": [2]},\n "data": [{"a": 1},\n {"a": 2}], "end": true}',
    );
    expect(failure).toBeNull();
    expect(elements.map(({ line, text }) => [line, text])).toEqual([
      [2, '{"a": 1}'],
      [3, '{"a": 2}'],
    ]);
  });

  test.each([
    ['[{"a": 1},\n {"a": "never closed}]', 'the text inside the row that begins in line 2 is never closed'],
    ['[{"a": 1},\n {"a": 2', 'the array is never closed: the file is cut off'],
    ['[1, 2] tail', 'text after the end of the array'],
    ['[1,, 2]', 'a comma without a row before it'],
    ['nonsense', 'the file does not begin with an array'],
    ['{"a": 1}', 'no array of rows is in the file'],
    ['[1}]', 'a closing brace without its opening one'],
  ])('%s: %s', (text, problem) => {
    expect(split(text).failure?.problem).toBe(problem);
  });
});
