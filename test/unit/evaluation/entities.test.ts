/** Entities and answers against seqeval and SQuAD's official measures (test/oracle/make_entities.py, make_answers.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { toBio } from '../../../electron/data/tags.js';
import { entitiesOf } from '../../../electron/contract/index.js';
import { answerSplitScores, entitySplitScores, typeScores } from '../../../electron/evaluation/index.js';
import { answerScores } from '../../../electron/evaluation/squad.js';
import { taskOf } from '../../../electron/evaluation/tasks/index.js';

const fixture = <T extends z.ZodType>(name: string, schema: T): z.output<T> =>
  schema.parse(JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'data', name), 'utf8')));

const tags = z.array(z.string());
const numbers = z.record(z.string(), z.number());
const entities = fixture(
  'entities.json',
  z.object({
    schemes: z.record(
      z.enum(['bio', 'iob1', 'bioes']),
      z.array(z.object({ tags, entities: z.array(z.tuple([z.number(), z.number(), z.string()])) })),
    ),
    truth: z.array(tags),
    predicted: z.array(tags),
    scores: numbers,
    types: z.record(z.string(), numbers),
  }),
);

describe('entities', () => {
  const outcomes = entities.truth.map((own, row) => ({
    entities: entitiesOf(own).map((entity): [number, number, string] => [...entity]),
    found: entitiesOf(entities.predicted[row] ?? []).map((entity): [number, number, string] => [...entity]),
  }));

  it.each(['bio', 'iob1', 'bioes'] as const)('are those of seqeval in %s, malformed tags among them', (scheme) => {
    for (const { tags: raw, entities: theirs } of entities.schemes[scheme] ?? [])
      expect(entitiesOf(toBio(raw, scheme).tags), raw.join(' ')).toEqual(theirs);
  });

  it('are scored as seqeval scores them, together and by type', () => {
    const scores = entitySplitScores(outcomes, { sum: 6, tokens: 3 });
    expect(scores.entityF1).toBeCloseTo(entities.scores['f1'] ?? NaN, 12);
    expect(scores.entityPrecision).toBeCloseTo(entities.scores['precision'] ?? NaN, 12);
    expect(scores.entityRecall).toBeCloseTo(entities.scores['recall'] ?? NaN, 12);
    expect(scores.loss).toBe(2);
    expect(scores.entityF1Interval?.low).toBeLessThan(scores.entityF1);
    const types = typeScores(outcomes);
    expect(types.map(({ type }) => type).sort()).toEqual(Object.keys(entities.types).sort());
    for (const { type, precision, recall, f1, entities: support } of types) {
      const theirs = entities.types[type];
      expect([precision, recall, f1, support]).toEqual(
        ['precision', 'recall', 'f1-score', 'support'].map((key) => expect.closeTo(theirs?.[key] ?? NaN, 12)),
      );
    }
  });

  it('are drawn anew with their sentences', () => {
    const score = taskOf('token-classification').score(outcomes, 'entityF1');
    expect(score()).toBeCloseTo(entities.scores['f1'] ?? NaN, 12);
    const twice = outcomes.map((_, row) => (row === 0 ? 2 : 1));
    const repeated = entitySplitScores([...outcomes, ...outcomes.slice(0, 1)], { sum: 0, tokens: 0 });
    expect(score(twice)).toBeCloseTo(repeated.entityF1, 12);
  });
});

const answers = fixture(
  'answers.json',
  z.object({
    rows: z.array(z.object({ answer: z.string(), expected: tags, exact: z.number(), f1: z.number() })),
    all: numbers,
    squad1: z.object({ rows: z.array(z.tuple([z.string(), tags])), exact: z.number(), f1: z.number() }),
  }),
);

describe('answers', () => {
  it.each(answers.rows)('"$answer" for $expected is scored as by SQuAD’s script', ({ answer, expected, exact, f1 }) => {
    const scores = answerScores(expected, answer);
    expect(scores.exact).toBe(exact);
    expect(scores.f1).toBeCloseTo(f1, 12);
  });

  it('are scored together as by the scripts of both versions', () => {
    const scores = answerSplitScores(
      answers.rows.map(({ answer, expected }) => ({ right: expected, given: answer })),
      1,
    );
    expect(scores.exactMatch).toBeCloseTo(answers.all['exact'] ?? NaN, 12);
    expect(scores.answerF1).toBeCloseTo(answers.all['f1'] ?? NaN, 12);
    const old = answerSplitScores(
      answers.squad1.rows.map(([given, right]) => ({ right, given })),
      1,
    );
    expect(old.exactMatch).toBeCloseTo(answers.squad1.exact, 6);
    expect(old.answerF1).toBeCloseTo(answers.squad1.f1, 6);
  });
});
