/** What runs learn: one table that window, command, evaluation and trainer read. A new objective is an entry here, and does not compile until all tables know it. */
import { z } from 'zod';
import type { Measure } from './measures.js';

export const objectiveSchema = z.enum([
  'classification',
  'regression',
  'multi-label',
  'token-classification',
  'question-answering',
  'causal-lm',
  'masked-lm',
]);
export type Objective = z.infer<typeof objectiveSchema>;

/** What the rows of a data set are for. */
export const taskSchema = z.enum(['classification', 'regression', 'multi-label', 'tagging', 'questions', 'generation']);
export type Task = z.infer<typeof taskSchema>;

interface ObjectiveFacts {
  /** The task of the data sets that it learns from. */
  readonly task: Task;
  /** The first chooses the best checkpoint, stops early and names a run; where it is equal, the lower loss does. */
  readonly measures: readonly [Measure, ...Measure[]];
  readonly loss: { readonly name: string; readonly unit: string };
  /** What a model answers: a class by its head or by words, a number, any of several labels, entities in a text, a piece of a context, a text; nothing where it is a step before a task. */
  readonly answers: 'classes' | 'number' | 'labels' | 'entities' | 'span' | 'text' | 'nothing';
}

export const objectiveTable: { readonly [O in Objective]: ObjectiveFacts } = {
  classification: {
    task: 'classification',
    measures: ['macroF1', 'accuracy'],
    loss: { name: 'loss', unit: 'nats' },
    answers: 'classes',
  },
  regression: {
    task: 'regression',
    measures: ['pearson', 'spearman'],
    loss: { name: 'mean squared error', unit: '' },
    answers: 'number',
  },
  'multi-label': {
    task: 'multi-label',
    measures: ['microF1', 'macroF1', 'subsetAccuracy'],
    loss: { name: 'loss', unit: 'nats' },
    answers: 'labels',
  },
  'token-classification': {
    task: 'tagging',
    measures: ['entityF1', 'entityPrecision', 'entityRecall'],
    loss: { name: 'loss', unit: 'nats' },
    answers: 'entities',
  },
  'question-answering': {
    task: 'questions',
    measures: ['answerF1', 'exactMatch'],
    loss: { name: 'loss', unit: 'nats' },
    answers: 'span',
  },
  'causal-lm': {
    task: 'generation',
    measures: ['perplexity', 'exactMatch'],
    loss: { name: 'loss', unit: 'nats' },
    answers: 'text',
  },
  /** Continued pretraining of an encoder. */
  'masked-lm': {
    task: 'generation',
    measures: ['perplexity', 'maskedAccuracy'],
    loss: { name: 'loss', unit: 'nats' },
    answers: 'nothing',
  },
};

/** Has a run a head of its own that answers, unless label words do? */
export const hasHead = (objective: Objective): boolean =>
  !['text', 'nothing'].includes(objectiveTable[objective].answers);

interface TaskFacts {
  /** In a form: "Classify texts". */
  readonly title: string;
  /** What a plan learns on such a data set where it does not say. */
  readonly objective: Objective;
}

export const taskTable: { readonly [T in Task]: TaskFacts } = {
  classification: { title: 'One label', objective: 'classification' },
  regression: { title: 'Predict a number', objective: 'regression' },
  'multi-label': { title: 'Several labels', objective: 'multi-label' },
  tagging: { title: 'Tag words', objective: 'token-classification' },
  questions: { title: 'Answer questions', objective: 'question-answering' },
  generation: { title: 'Write text', objective: 'causal-lm' },
};
