/** What runs learn: one table that window, command, evaluation and trainer read. A new objective is an entry here, and does not compile until all tables know it. */
import { z } from 'zod';
import type { Measure } from './measures.js';

export const objectiveSchema = z.enum(['classification', 'causal-lm', 'masked-lm']);
export type Objective = z.infer<typeof objectiveSchema>;

/** What the rows of a data set are for. */
export const taskSchema = z.enum(['classification', 'generation']);
export type Task = z.infer<typeof taskSchema>;

interface ObjectiveFacts {
  /** The task of the data sets that it learns from. */
  readonly task: Task;
  /** The first chooses the best checkpoint, stops early and names a run; where it is equal, the lower loss does. */
  readonly measures: readonly [Measure, ...Measure[]];
  readonly loss: { readonly name: string; readonly unit: string };
  /** What a model answers: a class by its head or by words, a text; nothing where it is a step before a task. */
  readonly answers: 'classes' | 'text' | 'nothing';
}

export const objectiveTable: { readonly [O in Objective]: ObjectiveFacts } = {
  classification: {
    task: 'classification',
    measures: ['macroF1', 'accuracy'],
    loss: { name: 'loss', unit: 'nats' },
    answers: 'classes',
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

interface TaskFacts {
  /** In a form: "Classify texts". */
  readonly title: string;
  /** What a plan learns on such a data set where it does not say. */
  readonly objective: Objective;
}

export const taskTable: { readonly [T in Task]: TaskFacts } = {
  classification: { title: 'Classify texts', objective: 'classification' },
  generation: { title: 'Write text', objective: 'causal-lm' },
};
