/** What rows and answers mark in their texts. */
import { expect, it } from 'vitest';
import { answerInWords, entityTypes, markedWords } from '../../../electron/contract/index.js';

it('finds the entities of a row by their places in its text', () => {
  const text = 'Ann went to old Rome , Ann';
  const parts = markedWords(text, 'B-person O O B-place I-place O B-person');
  expect(parts).toEqual([
    { from: 0, to: 3, text: 'Ann', type: 'person' },
    { from: 12, to: 20, text: 'old Rome', type: 'place' },
    { from: 23, to: 26, text: 'Ann', type: 'person' },
  ]);
  for (const part of parts) expect(text.slice(part.from, part.to)).toBe(part.text);
  // Two of a type side by side stay two; tags without words mark nothing.
  expect(markedWords('a b', 'B-x B-x').map(({ text: word }) => word)).toEqual(['a', 'b']);
  expect(markedWords('a', 'O B-x')).toEqual([]);
});

it('names each type once, in the order of the tags', () => {
  expect(entityTypes(['O', 'B-b', 'I-b', 'B-a', 'I-a'])).toEqual(['b', 'a']);
});

it('writes what a row asks for as an answer to it is written', () => {
  expect(answerInWords('tagging', { text: 'to Rome', label: 'O B-place', answers: null })).toBe('place: Rome');
  expect(answerInWords('tagging', { text: 'to go', label: 'O O', answers: null })).toBe('none');
  const answers = [{ text: 'Rome', start: 3 }];
  expect(answerInWords('questions', { text: 'Where?', label: 'answerable', answers })).toBe('Rome');
  expect(answerInWords('questions', { text: 'Where?', label: 'unanswerable', answers: [] })).toBe('none');
  expect(answerInWords('multi-label', { text: '', label: '["a","b"]', answers: null })).toBe('a, b');
  expect(answerInWords('classification', { text: '', label: 'a', answers: null })).toBe('a');
});
