/** A page for each objective. */
import type { Objective } from '../../../electron/contract/index.js';
import { mark } from '../../language.js';

export const objectivePages: Readonly<Record<Objective, { readonly title: string; readonly text: string }>> = {
  classification: {
    title: mark('One label'),
    text: `A text gets one of some labels: topics, moods, intents; of a pair whether one follows from the other.

**What is learned.** A head of one output a label on the first token (decoders: the last), by cross-entropy. \`classWeights\` make rare labels count more in training only. Or no head: label words in a prompt, see [Label words](#/help/label-words).

**Measured by** [macro F1](#/help/measure-macroF1), which chooses the kept parameters, [accuracy](#/help/measure-accuracy) and the loss in nats. Splits are drawn by label, so that each holds its share of every one.

**Data.** A text column and a label column, two labels at least. See [Data](#/help/data).`,
  },
  regression: {
    title: mark('A number'),
    text: `A text, or a pair of texts, gets a number: a rating, a price, how alike two sentences are.

**What is learned.** One output by squared error, as the standard score of the training rows, so that one learning rate fits all units. Answers and losses are told in the column's own unit, and the kept head takes mean and deviation in.

**Measured by** [Pearson](#/help/measure-pearson), which chooses the kept parameters, [Spearman](#/help/measure-spearman) and the mean squared error. Splits are drawn without regard to the number.

See [Tasks](#/help/tasks).`,
  },
  'multi-label': {
    title: mark('Several labels'),
    text: `A text gets any number of labels, none included: tags of a question, faults in a report.

**What is learned.** One output a label, each with a chance of its own (a sigmoid), by binary cross-entropy. A label is told from a chance of one half on.

**Measured by** [micro F1](#/help/measure-microF1), which chooses the kept parameters, [macro F1](#/help/measure-macroF1) over the labels, [subset accuracy](#/help/measure-subsetAccuracy) and the loss, a mean over rows and labels.

**Data.** \`a;b\` in one column, a list, or a column of 1 and 0 for each label. See [Tasks](#/help/tasks).`,
  },
  'token-classification': {
    title: mark('Tags of words'),
    text: `Words get tags that mark names and other entities in a text.

**What is learned.** A tag for the first token of each word, in BIO (\`B-\` begins an entity, \`I-\` goes on, \`O\` is outside), by cross-entropy; other tokens are not counted.

**Measured by** [entity F1](#/help/measure-entityF1), which chooses the kept parameters, [precision](#/help/measure-entityPrecision) and [recall](#/help/measure-entityRecall), as seqeval counts them.

**Data.** CoNLL files (IOB1, IOB2 and BIOES become BIO), or lists of words and of tags. See [Data](#/help/data).`,
  },
  'question-answering': {
    title: mark('A part of a context'),
    text: `A question about a context is answered by a part of that context, or by none.

**What is learned.** Two outputs a token: where the answer begins and where it ends. A context longer than \`maxLength\` is cut into windows that share \`windowStride\` tokens; the best part over all of them is the answer, at most \`maxAnswerTokens\` long.

**Measured by** [answer F1](#/help/measure-answerF1), which chooses the kept parameters, and [exact match](#/help/measure-exactMatch), as SQuAD's script counts them.

**Data.** SQuAD's JSON (1.1 and 2.0), or rows with question, context and answers. See [Data](#/help/data).`,
  },
  'causal-lm': {
    title: mark('Text to write'),
    text: `A decoder learns to write: texts, answers to instructions, chats.

**What is learned.** The next token, by cross-entropy; of prompts and chats the answers only (\`completionOnlyLoss\`), in the base model's own chat template. Short examples share a row without seeing each other (\`packing\`).

**Measured by** [perplexity](#/help/measure-perplexity), which chooses the kept parameters, the loss a token, and in the test [exact match](#/help/measure-exactMatch) of answers that are generated.

See [Writing text](#/help/writing).`,
  },
  'masked-lm': {
    title: mark('Masked words'),
    text: `An encoder goes on with what it was made by: guessing masked words of plain texts. It is a step before a task, which then refines the run.

**What is learned.** The tokens behind 15 % of the places (\`mlmProbability\`), most of them masked, some exchanged or left, drawn anew for each training batch.

**Measured by** [perplexity](#/help/measure-perplexity) and [masked-token accuracy](#/help/measure-maskedAccuracy), on masks that are the same for every run.

See [Pretraining](#/help/pretraining) and [Rounds](#/help/rounds).`,
  },
};
