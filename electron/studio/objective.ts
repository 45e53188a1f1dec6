/** What a plan learns on its data set. */
import type { Dataset } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import type { Plan } from '../contract/plan.js';
import { fullVerbalizerSchema } from '../contract/verbalizer.js';
import type { ObjectiveSpec } from '../engine/index.js';
import { objectiveOf } from '../interchange/index.js';
import type { LearnedObjective } from '../trainer/protocol.js';

/** Throws StudioError 'bad-input' where plan and data do not fit, 'bad-data' for a single label. */
export function learnedObjective(
  { objective, verbalizer }: Pick<Plan, 'objective' | 'verbalizer'>,
  { name, task, labels }: Dataset,
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
  }
}

/** What a run's parameters are planned by. */
export const plannedObjective = (objective: LearnedObjective): ObjectiveSpec =>
  objective.type === 'classification' ? objectiveOf(objective.labels, objective.verbalizer) : objectiveOf(null, null);
