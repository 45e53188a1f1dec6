/** What a plan learns on its data set. */
import type { Dataset } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { taskTable, type Objective } from '../contract/objectives.js';
import type { Plan } from '../contract/plan.js';
import { fullVerbalizerSchema } from '../contract/verbalizer.js';
import { anyVerbalizer, architectureOf, type BaseModelInfo, type ObjectiveSpec } from '../engine/index.js';
import type { LearnedObjective } from '../trainer/protocol.js';

/** Throws StudioError 'bad-input' where plan and data do not fit, 'bad-data' for a single label. */
export function learnedObjective(
  { objective, verbalizer }: Pick<Plan, 'objective' | 'verbalizer'>,
  { name, task, labels, form }: Dataset,
): LearnedObjective {
  const refuse = (path: string, problem: string, remedy: string) =>
    new StudioError('bad-input', `${path}: ${problem}`, remedy, { path });
  switch (objective) {
    case 'classification':
      if (task !== 'classification')
        throw refuse(
          'objective',
          `the data set "${name}" has texts to write, and no classes.`,
          'Set objective to "causal-lm", or choose a data set of the task classification.',
        );
      if (labels.length < 2)
        throw new StudioError(
          'bad-data',
          `The data set ${name} has one label only.`,
          'Import data with at least two labels.',
        );
      return { type: 'classification', labels, verbalizer: fullVerbalizerSchema.nullable().parse(verbalizer) };
    case 'causal-lm':
      if (task !== 'generation')
        throw refuse(
          'objective',
          `the data set "${name}" has classes, and no texts to write.`,
          'Set objective to "classification", or import the file with the task generation.',
        );
      if (verbalizer)
        throw refuse(
          'verbalizer',
          'with the objective causal-lm there are no labels to give words to.',
          'Leave it out.',
        );
      return { type: 'causal-lm' };
    case 'masked-lm':
      if (task !== 'generation' || form !== 'text')
        throw refuse(
          'objective',
          `masked language modelling takes plain texts, and the data set "${name}" has ${task === 'generation' ? 'prompts with answers' : 'labelled rows'}.`,
          'Import the texts with the task generation and --text COLUMN.',
        );
      if (verbalizer)
        throw refuse(
          'verbalizer',
          'with the objective masked-lm there are no labels to give words to.',
          'Leave it out.',
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

/** What a run's parameters are planned by. */
export const plannedObjective = (objective: LearnedObjective): ObjectiveSpec =>
  objective.type === 'classification'
    ? { ...objective, verbalizer: objective.verbalizer ? anyVerbalizer(objective.labels.length) : null }
    : objective;
