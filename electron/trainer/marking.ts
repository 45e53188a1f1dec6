/** Answers of models that mark parts of a text: entities in their sentence, an answer in its context. */
import type { MarkedSpan } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { trainingSchema } from '../contract/plan.js';
import { listIn } from '../contract/lists.js';
import { encodeQuestions, encodeWords, wordsOf } from '../data/index.js';
import { entitiesInWords, entitiesOf } from '../contract/marked.js';
import type { Batch } from '../engine/index.js';
import { readTags } from './entities.js';
import type { RowAnswer } from './answering.js';
import type { OpenPredictor } from './predictors.js';
import { readSpans } from './spans.js';

interface AskedRow {
  readonly text: string;
  readonly pair: string | null;
}

const shownAnswers = 5;

/** @throws StudioError `bad-input` for a question without its context */
export async function markedAnswers(
  open: OpenPredictor,
  rows: readonly AskedRow[],
  breathe: () => Promise<void>,
): Promise<RowAnswer[]> {
  const { objective } = open.served;
  return objective.type === 'token-classification'
    ? entityAnswers(open, objective.labels, rows, breathe)
    : spanAnswers(open, objective.type === 'question-answering' && objective.unanswerable, rows, breathe);
}

/** Losses are of labels that nobody knows: they are not looked at. */
const evaluateOf = ({ predictor }: OpenPredictor) =>
  predictor.evaluate ??
  (async (batch: Batch) => ({ logits: await predictor.predict(batch), lossSum: 0, weightSum: 0 }));

async function entityAnswers(
  open: OpenPredictor,
  labels: readonly string[],
  rows: readonly AskedRow[],
  breathe: () => Promise<void>,
): Promise<RowAnswer[]> {
  const { tokenizer, served } = open;
  // A cell of a data file may hold a list of words; all else is text.
  const read = rows.map(({ text }) => {
    const list = listIn(text);
    if (list === null) return { text, words: wordsOf(text) };
    let at = 0;
    const words = list.map((word) => ({ text: word, from: at, to: (at += word.length + 1) - 1 }));
    return { text: list.join(' '), words };
  });
  const filled = read.flatMap(({ words }, id) =>
    words.length === 0
      ? []
      : [{ id, text: words.map((word) => word.text.replace(/\s/g, '\u00a0')).join(' '), label: '' }],
  );
  const split = await encodeWords(filled, tokenizer, { labels, maxLength: served.maxLength });
  const pass = await readTags(evaluateOf(open), split, labels, tokenizer.padId, breathe);
  const places = new Map(split.rows.map(({ id }, place) => [id, place]));
  return read.map(({ text, words }, id) => {
    const own = pass.rows[places.get(id) ?? -1];
    const spans = entitiesOf(own?.tags ?? []).map(([first, end, type]): MarkedSpan => {
      const [from, to] = [words[first]?.from ?? 0, words[end - 1]?.to ?? 0];
      const shares = (own?.probabilities ?? []).slice(first, end);
      return {
        from,
        to,
        text: text.slice(from, to),
        type,
        probability: shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length),
      };
    });
    const label = entitiesInWords(spans);
    return { label, logits: [...(own?.logits ?? [])], probabilities: [], value: null, spans };
  });
}

async function spanAnswers(
  open: OpenPredictor,
  unanswerable: boolean,
  rows: readonly AskedRow[],
  breathe: () => Promise<void>,
): Promise<RowAnswer[]> {
  const { tokenizer, served } = open;
  const { windowStride, maxAnswerTokens } = served.answers ?? trainingSchema.parse({});
  const asked = rows.map(({ text, pair }, id) => {
    if (pair === null || pair.trim() === '')
      throw new StudioError(
        'bad-input',
        'A question is answered from a context, and there is none.',
        'Give the context as the second text.',
        { field: 'pair' },
      );
    return { id, text, pair, answers: [] };
  });
  const split = await encodeQuestions(asked, tokenizer, { maxLength: served.maxLength, stride: windowStride });
  const options = { unanswerable, maxAnswerTokens, padId: tokenizer.padId };
  const { questions } = await readSpans(evaluateOf(open), split, options, breathe);
  return questions.map(({ best, logits }) => ({
    label: best[0]?.text ?? '',
    logits: [...logits],
    probabilities: [],
    value: null,
    spans: best.slice(0, shownAnswers).map((answer) => ({ ...answer, type: '' })),
  }));
}
