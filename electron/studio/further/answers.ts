/** The answers of a result to the test rows, as outcomes of the rows here. */
import type { Dataset, Scores } from '../../contract/entities.js';
import { StudioError } from '../../contract/errors.js';
import { labelsOfRow } from '../../contract/labels.js';
import type { TestOutcome } from '../../contract/outcomes.js';
import type { Plan } from '../../contract/plan.js';
import { classAnswers, labelAnswers, numberAnswers } from '../../evaluation/index.js';
import { datasets } from '../../storage/index.js';
import type { Context } from '../context.js';

export interface TestAnswers {
  readonly scores: Scores;
  /** In the order of the test split. */
  readonly outcomes: readonly TestOutcome[];
}

/**
 * @param logits of every test row, in the split's order; of a regression the number itself
 * @throws StudioError 'bad-file' for another number of rows or outputs
 */
export async function answersOf(
  { database }: Pick<Context, 'database'>,
  { id, labels }: Dataset,
  { objective }: Plan,
  logits: readonly (readonly number[])[],
  folder: string,
): Promise<TestAnswers> {
  const [ids, truth]: [number[], string[]] = [[], []];
  for await (const row of datasets.eachRow(database, id, 'test')) {
    ids.push(row.id);
    truth.push(row.label);
  }
  const width = objective === 'regression' ? 1 : labels.length;
  if (logits.length !== ids.length || logits.some((row) => row.length !== width))
    throw new StudioError(
      'bad-file',
      `${folder}: result.json answers ${logits.length} test rows; there are ${ids.length}, with ${width} outputs each.`,
      'Take it back as train.py wrote it.',
      { file: folder },
    );
  const flat = logits.flat();
  const { scores, row } =
    objective === 'regression'
      ? numberAnswers(flat, truth.map(Number))
      : objective === 'multi-label'
        ? labelAnswers(flat, flagsOf(truth, labels), width)
        : classAnswers(
            flat,
            truth.map((label) => labels.indexOf(label)),
            width,
          );
  return { scores, outcomes: ids.map((own, place) => ({ id: own, ...row(place) })) };
}

const flagsOf = (rows: readonly string[], labels: readonly string[]): number[] =>
  rows.flatMap((row) => {
    const own = new Set(labelsOfRow(row));
    return labels.map((label) => Number(own.has(label)));
  });
