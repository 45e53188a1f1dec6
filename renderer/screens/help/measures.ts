/** A page for each measure. */
import type { Measure } from '../../../electron/contract/index.js';
import { mark } from '../../language.js';

const share = 'It is shown in percent; differences are told in points, hundredths of the whole.';
const paired =
  'Its interval in a run covers other test rows (bootstrap, 95 %); differences between methods are paired by seed and test row, see [Comparison](#/help/comparison).';

export const measurePages: Readonly<Record<Measure, { readonly title: string; readonly text: string }>> = {
  macroF1: {
    title: mark('Macro F1'),
    text: `The mean of the labels' own F1, each weighing the same however rare it is. F1 of a label is 2 · hits / (rows of the label + rows told as the label), so it falls with misses and with false alarms alike.

With one label a row, labels that occur in neither truth nor answers are left out, and a label that is never found counts 0, as scikit-learn has it. With several labels a row it is the mean over all labels. Rare labels move it much: with ten rows of a label, one row is many points of that label. ${share}

${paired}`,
  },
  accuracy: {
    title: mark('Accuracy'),
    text: `The share of rows whose label is right. Where one label is much more frequent than others, always telling that one scores high: look at [macro F1](#/help/measure-macroF1) too. ${share}

${paired}`,
  },
  entityF1: {
    title: mark('Entity F1'),
    text: `The harmonic mean of [entity precision](#/help/measure-entityPrecision) and [entity recall](#/help/measure-entityRecall) over all entities together. An entity counts as found where its first word, its last word and its type are right; half of one is none. It is seqeval's default. ${share}

${paired}`,
  },
  entityPrecision: {
    title: mark('Entity precision'),
    text: `Of the entities that were told, the share that is right: first word, last word and type. Low precision means false alarms. ${share}`,
  },
  entityRecall: {
    title: mark('Entity recall'),
    text: `Of the entities that are there, the share that was found: first word, last word and type. Low recall means misses. ${share}`,
  },
  answerF1: {
    title: mark('Answer F1'),
    text: `F1 of the words that the given answer shares with the right one, the best over the right ones, and its mean over questions; lower case, without punctuation and articles, as SQuAD's script has it. A question without an answer counts 1 where none is given, else 0. ${share}

${paired}`,
  },
  pearson: {
    title: mark('Pearson'),
    text: `How far answers and numbers rise together along a line: 1 on a rising line, 0 without any relation, -1 on a falling one. It does not see a wrong scale or offset; the mean squared error does. Where one side does not vary it is not defined. A point of difference is a hundredth.

${paired}`,
  },
  spearman: {
    title: mark('Spearman'),
    text: `Pearson of the ranks, ties at their mean rank: whether answers stand in the right order, whatever the distances. A point of difference is a hundredth.

${paired}`,
  },
  microF1: {
    title: mark('Micro F1'),
    text: `F1 over all labels of all rows counted together: 2 · hits / (labels that are there + labels that were told). Frequent labels weigh most; [macro F1](#/help/measure-macroF1) weighs all the same. ${share}

${paired}`,
  },
  subsetAccuracy: {
    title: mark('Subset accuracy'),
    text: `The share of rows whose labels are all right, with none missing and none too many. The strictest of the measures of several labels. ${share}

${paired}`,
  },
  perplexity: {
    title: mark('Perplexity'),
    text: `e to the power of the loss a token: among how many equally likely tokens the model hesitates, on average. Lower is better, 1 is the least. It compares models with the same tokenizer only. Differences are in percent of the baseline's, above zero where the method has the lower one.

${paired}`,
  },
  exactMatch: {
    title: mark('Exact match'),
    text: `The share of answers that are the expected one: of generated answers up to blanks at the ends, of marked ones as SQuAD's script compares them (lower case, without punctuation and articles). Of runs that write, \`exactMatchRows\` test answers are generated. ${share}`,
  },
  maskedAccuracy: {
    title: mark('Masked-token accuracy'),
    text: `The share of masked tokens whose likeliest guess is right, on masks that are the same for every run. ${share}`,
  },
};
