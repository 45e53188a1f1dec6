/**
 * Classification by a verbalizer (Schick & Schütze 2021, arXiv:2001.07676; Brown et al. 2020): the language model's own
 * predictions at chosen places of a prompt, read for one word a label. Nothing is added to the model.
 */
import { multiplyDims } from '../graph/dims.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';
import type { Architecture, ModelConfig } from '../models/types.js';
import type { VerbalizerSpec } from '../types.js';

/**
 * Scores [texts, labels]: of each label's word the mean (or sum) of log p(token) at its slots, p over the whole vocabulary. The
 * graph takes `label_rows`, the row of each text's slots.
 */
export function wordScores(b: Builder, architecture: Architecture, config: ModelConfig, spec: VerbalizerSpec): Value {
  const { g } = b;
  const { slots, words, score } = spec;
  const places = g.input('label_rows', 'int64', [multiplyDims('texts', slots)]);
  const rows = g.gather(architecture.encode(b, config, 'all'), places, true);
  const logs = g.logSoftmax(architecture.predictTokens(b, config, rows));
  const wide = g.transpose(g.reshape(logs, ['texts', slots * config.vocabularySize]), [1, 0]);
  const numbers = words.map((word) => word.map(({ slot, token }) => slot * config.vocabularySize + token));
  const read = [...new Set(numbers.flat())];
  const picked = g.gather(wide, g.constant(BigInt64Array.from(read, BigInt), [read.length]), true);
  const shares = new Float32Array(words.length * read.length);
  numbers.forEach((word, label) => {
    for (const number of word) {
      const at = label * read.length + read.indexOf(number);
      shares[at] = (shares[at] as number) + (score === 'mean' ? 1 / word.length : 1);
    }
  });
  return g.transpose(g.matmul(g.constant(shares, [words.length, read.length]), picked), [1, 0]);
}

/** A verbalizer that asks for the same parameters as any other: for plans that need names and shapes only. */
export const anyVerbalizer = (labels: number): VerbalizerSpec => ({
  slots: 1,
  words: Array.from({ length: labels }, () => [{ slot: 0, token: 0 }]),
  score: 'mean',
});
