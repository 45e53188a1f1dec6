/** Questions through a model that marks answers: from logits of windows to the best answers of each question. */
import { evaluationBatches, windowBatches, type WindowRows } from '../data/index.js';
import type { Batch, Evaluation } from '../engine/index.js';
import { evaluationBatchSize } from './evaluate.js';

/** A part of the context; empty: it has no answer. */
export interface SpanAnswer {
  readonly text: string;
  /** In UTF-16 units of the context; 0 and 0 where it is empty. */
  readonly from: number;
  readonly to: number;
  /** Its share among the best. */
  readonly probability: number;
}

export interface ReadQuestion {
  /** The best ones, the likeliest first; empty text among them where there may be no answer. */
  readonly best: readonly SpanAnswer[];
  /** Logits of all windows, one after another. */
  readonly logits: readonly number[];
}

export interface SpanOptions {
  /** May a question have no answer? */
  readonly unanswerable: boolean;
  readonly maxAnswerTokens: number;
  readonly padId: number;
}

/** As many candidates of each end as transformers' example takes, and as many answers. */
const candidates = 20;

interface Candidate {
  readonly from: number;
  readonly to: number;
  readonly score: number;
}

/** @param between called after each batch with the windows done */
export async function readSpans(
  evaluate: (batch: Batch) => Promise<Pick<Evaluation, 'logits' | 'lossSum' | 'weightSum'>>,
  split: WindowRows,
  { unanswerable, maxAnswerTokens, padId }: SpanOptions,
  between: (done: number) => Promise<void>,
): Promise<{ readonly questions: readonly ReadQuestion[]; readonly loss: number }> {
  const found = split.questions.map(() => ({ spans: [] as Candidate[], none: Infinity }));
  const logitsOf = Array.from({ length: split.size }, (): number[] => []);
  let [sum, weight, done] = [0, 0, 0];
  for (const { batch, rows } of evaluationBatches(windowBatches(split, padId), evaluationBatchSize)) {
    const { logits, lossSum, weightSum } = await evaluate(batch);
    sum += lossSum;
    weight += weightSum;
    rows.forEach((window, row) => {
      const at = 2 * row * batch.sequence;
      const length = split.length(window);
      const starts = logits.subarray(at, at + length);
      const ends = logits.subarray(at + batch.sequence, at + batch.sequence + length);
      logitsOf[window] = [...starts, ...ends];
      const own = found[split.asked[window] ?? 0];
      if (!own) return;
      // The first token stands for no answer; of several windows the one that is least sure of it decides.
      own.none = Math.min(own.none, (starts[0] ?? 0) + (ends[0] ?? 0));
      own.spans.push(...spansIn(split, window, starts, ends, maxAnswerTokens));
    });
    done += rows.length;
    await between(done);
  }
  return {
    loss: weight === 0 ? 0 : sum / weight,
    questions: found.map(({ spans, none }, question) => ({
      best: bestOf(split.questions[question]?.pair ?? '', spans, unanswerable ? none : null),
      logits: logitsOf.flatMap((logits, window) => (split.asked[window] === question ? logits : [])),
    })),
  };
}

/** Parts of the context between likely ends. */
function spansIn(
  { offsets, from, to }: WindowRows,
  window: number,
  starts: Float32Array,
  ends: Float32Array,
  longest: number,
): Candidate[] {
  const first = offsets[window] ?? 0;
  const inContext = (logits: Float32Array) =>
    [...logits.keys()]
      .filter((token) => (from[first + token] ?? -1) >= 0)
      .sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b)
      .slice(0, candidates);
  const tails = inContext(ends);
  return inContext(starts).flatMap((head) =>
    tails
      .filter((tail) => tail >= head && tail - head < longest)
      .map((tail) => ({
        from: from[first + head] ?? 0,
        to: to[first + tail] ?? 0,
        score: (starts[head] ?? 0) + (ends[tail] ?? 0),
      })),
  );
}

/** @param none the score of there being no answer; null where there must be one */
function bestOf(context: string, spans: readonly Candidate[], none: number | null): SpanAnswer[] {
  const byPlace = new Map<string, Candidate>();
  for (const span of spans) {
    const key = `${span.from} ${span.to}`;
    const known = byPlace.get(key);
    if (!known || known.score < span.score) byPlace.set(key, span);
  }
  const all = [...byPlace.values(), ...(none === null ? [] : [{ from: 0, to: 0, score: none }])];
  const best = all.sort((a, b) => b.score - a.score).slice(0, candidates);
  const [top] = best;
  if (top === undefined) return [{ text: '', from: 0, to: 0, probability: 1 }];
  const weights = best.map(({ score }) => Math.exp(score - top.score));
  const whole = weights.reduce((sum, value) => sum + value, 0);
  return best.map(({ from, to }, at) => ({ ...trimmed(context, from, to), probability: (weights[at] ?? 0) / whole }));
}

/** Tokens of byte-level vocabularies begin with the blank before a word. */
function trimmed(context: string, from: number, to: number): Omit<SpanAnswer, 'probability'> {
  const raw = context.slice(from, to);
  const start = from + (raw.length - raw.trimStart().length);
  const text = raw.trim();
  return { text, from: text === '' ? 0 : start, to: text === '' ? 0 : start + text.length };
}
