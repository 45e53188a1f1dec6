/** The parameters of a result, read as the trainer reads any folder to start from, and proved: test rows are answered with them here. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset, Elsewhere } from '../../contract/entities.js';
import { StudioError } from '../../contract/errors.js';
import type { TestOutcome } from '../../contract/outcomes.js';
import type { Plan } from '../../contract/plan.js';
import { keptMethod } from '../../engine/index.js';
import { datasets } from '../../storage/index.js';
import { workApart } from '../apart.js';
import type { Context } from '../context.js';
import { taskOf } from '../train-task.js';
import type { TestAnswers } from './answers.js';

const PROOF_ROWS = 64;
/** Probabilities in float32 agree to a millionth; half precision on a graphics card moves some by a few hundredths. */
const LARGEST_DIFFERENCE = 0.1;

interface Bringing {
  readonly plan: Plan;
  readonly modelId: number;
  readonly dataset: Dataset;
  /** Folder of peft, or of a whole model. */
  readonly trained: string;
  /** Where `trained.safetensors` is written. */
  readonly work: string;
  readonly answers: TestAnswers | null;
}

/** @throws StudioError 'bad-file' where the parameters do not fit, or give other answers than the result tells */
export async function provedParameters(
  context: Context,
  { plan, modelId, dataset, trained, work, answers }: Bringing,
  signal: AbortSignal,
): Promise<Elsewhere['proof']> {
  const rows = join(work, 'rows.jsonl');
  const proved: string[] = [];
  for await (const row of datasets.eachRow(context.database, dataset.id, answers ? 'test' : 'train')) {
    const { id, text, pair, label } = row;
    proved.push(JSON.stringify({ id, text, pair, label }));
    if (proved.length >= PROOF_ROWS) break;
  }
  await writeFile(rows, proved.map((line) => `${line}\n`).join(''));
  const task = await taskOf(context, { plan, modelId, datasetId: dataset.id }, 'cpu', trained);
  const found: TestOutcome[] = [];
  // No step is taken: what the folder holds becomes the run's own file, and the rows are answered with it.
  await workApart<'train'>(
    context,
    {
      type: 'train',
      task: {
        ...task,
        method: keptMethod(plan.method),
        training: { ...plan.training, maxSteps: 0, examplesPerClass: null, classWeights: null },
        data: { train: rows, validation: null, test: rows },
        readTest: answers !== null,
      },
      runFolder: work,
      resume: false,
    },
    {
      signal,
      onEvent: (event) => {
        if (event.type === 'outcomes') found.push(...event.rows);
      },
    },
  );
  const told = new Map(answers?.outcomes.map((row) => [row.id, row]));
  const scale = answers ? spreadOf(answers.outcomes) : 1;
  const largestDifference = Math.max(0, ...found.map((row) => differenceOf(row, told.get(row.id))));
  if (largestDifference > LARGEST_DIFFERENCE * scale)
    throw new StudioError(
      'bad-file',
      `${trained} answers differently from what result.json tells: by up to ${largestDifference.toPrecision(2)} on ${found.length} test rows.`,
      'Take it back as train.py wrote it; parameters and result must be of one training.',
      { file: trained, largestDifference },
    );
  return { rows: found.length, largestDifference };
}

function differenceOf(here: TestOutcome, there: TestOutcome | undefined): number {
  const [own, theirs] = [valuesOf(here), there ? valuesOf(there) : []];
  return Math.max(...own.map((value, place) => Math.abs(value - (theirs[place] ?? Infinity))));
}

/** Probabilities, or the number. */
function valuesOf({ outcome, details }: TestOutcome): readonly number[] {
  if ('value' in outcome) return [outcome.value];
  const probabilities = details?.['probabilities'];
  return Array.isArray(probabilities) ? probabilities.map(Number) : [];
}

/** What a difference is measured by: 1 for probabilities, the range of the numbers for a regression. */
function spreadOf(outcomes: readonly TestOutcome[]): number {
  const targets = outcomes.flatMap(({ outcome }) => ('target' in outcome ? [outcome.target] : []));
  if (targets.length === 0) return 1;
  return targets.reduce((a, b) => Math.max(a, b)) - targets.reduce((a, b) => Math.min(a, b)) || 1;
}
