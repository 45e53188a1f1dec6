/** What a plan learns on its data set. */
import type { Dataset } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import type { LearnedObjective } from '../contract/learned.js';
import { hasHead, objectiveTable, taskTable, type Objective, type Task } from '../contract/objectives.js';
import type { Plan } from '../contract/plan.js';
import { fullVerbalizerSchema } from '../contract/verbalizer.js';
import { anyVerbalizer, architectureOf, type BaseModelInfo, type ObjectiveSpec } from '../engine/index.js';
import { answerable } from '../data/index.js';

/** What a data set lacks for another objective, in words. */
const holds: { readonly [T in Task]: string } = {
  classification: 'texts with classes',
  regression: 'texts with numbers',
  'multi-label': 'texts with several labels',
  tagging: 'words with tags',
  questions: 'questions on contexts',
  generation: 'texts to write',
};

/** Throws StudioError 'bad-input' where plan and data do not fit, 'bad-data' for a single label. */
export function learnedObjective(
  { objective, verbalizer }: Pick<Plan, 'objective' | 'verbalizer'>,
  { name, task, labels, form }: Dataset,
): LearnedObjective {
  const refuse = (path: string, problem: string, remedy: string) =>
    new StudioError('bad-input', `${path}: ${problem}`, remedy, { path });
  const { task: needed } = objectiveTable[objective];
  if (task !== needed && objective !== 'masked-lm')
    throw refuse(
      'objective',
      `the data set "${name}" has ${holds[task]}; ${objective} learns from ${holds[needed]}.`,
      `Set objective to "${taskTable[task].objective}", or import the file with the task ${needed}.`,
    );
  if (verbalizer && objective !== 'classification')
    throw refuse(
      'verbalizer',
      `with the objective ${objective} there are no labels to give words to.`,
      'Leave it out.',
    );
  if ((objective === 'classification' || objective === 'token-classification') && labels.length < 2)
    throw new StudioError(
      'bad-data',
      `The data set ${name} has one label only.`,
      'Import data with at least two labels.',
    );
  switch (objective) {
    case 'classification':
      return { type: 'classification', labels, verbalizer: fullVerbalizerSchema.nullable().parse(verbalizer) };
    case 'regression':
      return { type: 'regression' };
    case 'multi-label':
      return { type: 'multi-label', labels };
    case 'token-classification':
      return { type: 'token-classification', labels };
    case 'question-answering':
      return { type: 'question-answering', unanswerable: labels.includes(answerable[1]) };
    case 'causal-lm':
      return { type: 'causal-lm' };
    case 'masked-lm':
      if (form !== 'text')
        throw refuse(
          'objective',
          `masked language modelling takes plain texts, and the data set "${name}" has ${task === 'generation' ? 'prompts with answers' : holds[task]}.`,
          'Import the texts with the task generation and --text COLUMN.',
        );
      return { type: 'masked-lm' };
  }
}

/** What a plan learns on a data set where it does not say: plain texts as the base model was made for them. */
export function usualObjective(
  { architecture }: Pick<BaseModelInfo, 'architecture'>,
  { task, form }: Pick<Dataset, 'task' | 'form'>,
): Objective {
  const { objective } = taskTable[task];
  return objective === 'causal-lm' && form === 'text' ? architectureOf(architecture).language : objective;
}

/** What parameters would be planned by on a data set; without one, two labels. */
export function objectiveOn(
  { architecture }: Pick<BaseModelInfo, 'architecture'>,
  dataset: Pick<Dataset, 'task' | 'labels'> | null,
  byWords: boolean,
): ObjectiveSpec {
  const labels = dataset?.labels ?? ['0', '1'];
  const { objective } = taskTable[dataset?.task ?? 'classification'];
  switch (objective) {
    case 'classification':
      return { type: objective, labels, verbalizer: byWords ? anyVerbalizer(labels.length) : null };
    case 'multi-label':
    case 'token-classification':
      return { type: objective, labels };
    case 'regression':
    case 'question-answering':
      return { type: objective };
    case 'causal-lm':
    case 'masked-lm':
      return { type: architectureOf(architecture).language };
  }
}

/** Does a plan answer by a head, or without one: by label words, or by writing? */
export const answersByHead = ({ objective, verbalizer }: Pick<Plan, 'objective' | 'verbalizer'>): boolean =>
  hasHead(objective) && !verbalizer;

/** What a run's parameters are planned by. */
export function plannedObjective(objective: LearnedObjective): ObjectiveSpec {
  switch (objective.type) {
    case 'classification':
      return { ...objective, verbalizer: objective.verbalizer ? anyVerbalizer(objective.labels.length) : null };
    case 'question-answering':
      return { type: objective.type };
    case 'regression':
    case 'multi-label':
    case 'token-classification':
    case 'causal-lm':
    case 'masked-lm':
      return objective;
  }
}
