/**
 * SQuAD's JSON, v1.1 and v2.0: articles with paragraphs with questions. One question a row, numbered from 1 through the file, with the
 * columns title, context, question, answers (a list of text and answer_start, as JSON) and id. Plausible answers of unanswerable
 * questions are left out.
 */
import { z } from 'zod';
import { decodedPieces } from '../decode.js';
import { rowTooLong } from '../limits.js';
import type { ReadRow } from '../types.js';
import { JsonArraySplitter, type JsonElement } from './json-elements.js';
import { rowFromObject } from './json-values.js';
import type { Reader } from './reader.js';

const articleSchema = z.object({
  title: z.string().default(''),
  paragraphs: z.array(
    z.object({
      context: z.string(),
      qas: z.array(
        z.object({
          id: z.union([z.string(), z.number()]).default(''),
          question: z.string(),
          is_impossible: z.boolean().default(false),
          answers: z.array(z.object({ text: z.string(), answer_start: z.number() })).default([]),
        }),
      ),
    }),
  ),
});

export const squadReader: Reader = {
  formats: ['squad'],
  async *batches(path, reading, hooks) {
    const splitter = new JsonArraySplitter();
    let questions = 0;
    const rowsOf = function* (elements: readonly JsonElement[]): Generator<ReadRow> {
      for (const element of elements)
        for (const row of articleRows(element)) {
          questions += 1;
          yield { ...row, line: questions };
        }
    };
    for await (const piece of decodedPieces(path, reading.encoding ?? 'utf-8', hooks)) {
      yield rowsOf(splitter.feed(piece));
      if (splitter.failure !== null) break;
    }
    splitter.end();
    if (splitter.failure !== null) yield [splitter.failure];
  },
};

function* articleRows({ line, text, tooLong }: JsonElement): Generator<ReadRow> {
  if (tooLong) {
    yield { line, problem: `the article of line ${line}: ${rowTooLong()}` };
    return;
  }
  let article: z.infer<typeof articleSchema>;
  try {
    const parsed = articleSchema.safeParse(JSON.parse(text));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      yield { line, problem: `the article of line ${line}: ${issue?.path.map(String).join('.')}: ${issue?.message}` };
      return;
    }
    article = parsed.data;
  } catch {
    yield { line, problem: `the article of line ${line} is not JSON` };
    return;
  }
  for (const { context, qas } of article.paragraphs)
    for (const { id, question, answers, is_impossible: impossible } of qas)
      yield rowFromObject(line, { title: article.title, context, question, answers: impossible ? [] : answers, id });
}
