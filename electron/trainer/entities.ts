/** Tagged words through a model: a tag of each word with its probability. */
import { evaluationBatches, wordBatches, type WordRows } from '../data/index.js';
import type { Batch, Evaluation } from '../engine/index.js';
import { predictedClasses, softmax } from '../evaluation/index.js';
import { evaluationBatchSize } from './evaluate.js';

/** A row as the model reads it: words that it does not see are O. */
export interface ReadWords {
  readonly tags: readonly string[];
  /** Of each word's tag; 0 where the word was not seen. */
  readonly probabilities: readonly number[];
  readonly logits: readonly number[];
}

export interface TagPass {
  /** Parallel to the rows of the split. */
  readonly rows: readonly ReadWords[];
  /** Over the words that were seen, in nats. */
  readonly losses: { readonly sum: number; readonly tokens: number };
}

/** @param between called after each batch with the rows done */
export async function readTags(
  evaluate: (batch: Batch) => Promise<Pick<Evaluation, 'logits' | 'lossSum' | 'weightSum'>>,
  split: WordRows,
  labels: readonly string[],
  padId: number,
  between: (done: number) => Promise<void>,
): Promise<TagPass> {
  const read = split.rows.map(({ words }) => ({
    tags: new Array<string>(words).fill('O'),
    probabilities: new Array<number>(words).fill(0),
    logits: [] as number[],
  }));
  let [sum, tokens, done] = [0, 0, 0];
  for (const { batch, rows } of evaluationBatches(wordBatches(split, padId), evaluationBatchSize)) {
    const { logits, lossSum, weightSum } = await evaluate(batch);
    sum += lossSum;
    tokens += weightSum;
    const predicted = predictedClasses(logits, labels.length);
    const probabilities = softmax(logits, labels.length);
    let token = 0;
    for (const row of rows) {
      const own = read[row];
      for (const word of split.rows[row]?.seen ?? []) {
        const best = predicted[token] ?? 0;
        if (own) {
          own.tags[word] = labels[best] ?? 'O';
          own.probabilities[word] = probabilities[token * labels.length + best] ?? 0;
          own.logits.push(...logits.subarray(token * labels.length, (token + 1) * labels.length));
        }
        token += 1;
      }
    }
    done += rows.length;
    await between(done);
  }
  return { rows: read, losses: { sum, tokens } };
}
