/** Learning to guess masked tokens: continued pretraining of an encoder on plain texts, with held-out loss. */
import type { OutcomeOf } from '../../contract/outcomes.js';
import { encodeMasked, evaluationBatches, type MaskedTexts, type TextTokenizer } from '../../data/index.js';
import { missingOfLanguageModel, type BaseModelInfo, type Batch } from '../../engine/index.js';
import { maskedScores } from '../../evaluation/index.js';
import type { Between, Learning, LearningTask, Measured } from '../learning.js';
import { sendOutcomes } from '../outcomes.js';

/** Logits over the vocabulary stand in memory for every masked token of a batch. */
const rowsAtOnce = 16;

type Outcome = OutcomeOf<'masked-lm'>;

export function learnMasked(
  { training }: LearningTask,
  tokenizer: TextTokenizer,
  model: BaseModelInfo,
): Promise<Learning> {
  const { maxLength, packing, seed, mlmProbability, maskReplaceProb, randomReplaceProb } = training;
  const options = { maxLength, mlmProbability, maskReplaceProb, randomReplaceProb };
  return Promise.resolve({
    objective: { type: 'masked-lm' },
    notes: notesOnHead(model),
    async encode(rows) {
      const texts = await encodeMasked(rows, tokenizer, options);
      const batches = texts.training(packing, seed);
      return {
        size: texts.size,
        batches,
        notes: notesOn(texts, batches.size, maxLength, packing),
        measure: async (model, between) => maskedScores(await outcomesOf(model, texts, between)),
        test: async ({ trainer, between, emit }) => {
          const outcomes = await outcomesOf(trainer, texts, between);
          await sendOutcomes<'masked-lm'>(texts.ids, emit, (row) => ({
            outcome: outcomes[row] ?? { lossSum: 0, masked: 0, correct: 0 },
            details: null,
          }));
          return maskedScores(outcomes);
        },
      };
    },
  });
}

function notesOn({ size, empty }: MaskedTexts, rows: number, maxLength: number, packing: boolean): string[] {
  const count = (number: number, one: string) => `${number.toLocaleString('en')} ${one}${number === 1 ? '' : 's'}`;
  return [
    `${count(size, 'text')} in ${count(rows, 'row')} of at most ${maxLength} tokens${packing ? ': short ones share a row, long ones are split' : ''}.`,
    ...(empty > 0 ? [`${count(empty, 'text')} without a token left out.`] : []),
  ];
}

const notesOnHead = (model: BaseModelInfo): string[] =>
  missingOfLanguageModel(model) === null
    ? []
    : [
        'The base model has no language-model head: a new one is made, tied to the word embeddings, and trains beside what the method trains. It starts at random, so the first losses are those of guessing.',
      ];

/** Loss and guesses of each text's masked tokens, in the split's order. */
async function outcomesOf(model: Measured, texts: MaskedTexts, between: Between): Promise<Outcome[]> {
  const outcomes = Array.from({ length: texts.size }, () => ({ lossSum: 0, masked: 0, correct: 0 }));
  const rows = texts.heldOut();
  let done = 0;
  for (const { batch, rows: places } of evaluationBatches(rows, rowsAtOnce)) {
    const { logits } = await model.evaluate(batch);
    for (const { row, loss, correct } of guessesOf(batch, logits)) {
      const outcome = outcomes[rows.textOf(places[row] ?? 0)];
      if (!outcome) continue;
      outcome.lossSum += loss;
      outcome.masked += 1;
      outcome.correct += Number(correct);
    }
    done += places.length;
    await between(Math.min(texts.size, Math.round((texts.size * done) / rows.size)));
  }
  return outcomes;
}

/** Of each masked token -log p and whether it is the likeliest; logits [masked tokens, vocabulary], position by position of the batch. */
export function* guessesOf(
  { size, sequence, labels }: Pick<Batch, 'size' | 'sequence' | 'labels'>,
  logits: Float32Array,
): Generator<{ readonly row: number; readonly loss: number; readonly correct: boolean }> {
  const vocabulary = logits.length / labels.reduce((count, label) => count + Number(label !== -100), 0);
  let at = 0;
  for (let position = 0; position < sequence; position += 1)
    for (let row = 0; row < size; row += 1) {
      const label = labels[row * sequence + position] ?? -100;
      if (label === -100) continue;
      const own = logits.subarray(at, at + vocabulary);
      at += vocabulary;
      let [most, likeliest] = [-Infinity, 0];
      own.forEach((logit, token) => {
        if (logit > most) [most, likeliest] = [logit, token];
      });
      let sum = 0;
      for (const logit of own) sum += Math.exp(logit - most);
      yield { row, loss: most + Math.log(sum) - (own[label] ?? Number.NaN), correct: likeliest === label };
    }
}
