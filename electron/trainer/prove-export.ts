/** Proof of an export: reloaded as another program would, run on real rows, compared with the live run. */
import { join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { openTokenizer } from '../data/index.js';
import { createPredictor, openModel, openOnnx, type Batch, type OnnxOutputs } from '../engine/index.js';
import { baseIn, loadAdapter } from '../interchange/index.js';
import { firstRows } from './dataset.js';
import type { EngineDoor } from './engine-door.js';
import { answer, openPredictor, type OpenPredictor, type RowAnswer } from './predictors.js';
import { largestOf, type Compared } from './difference.js';
import { classesOf, marks, type JobOf, type ResultOf, type ServedModel, type SplitRow } from './protocol.js';
import { readingOf, servedReading } from './reading.js';
import { proveLanguage } from './prove-language.js';
import { proveMasked } from './prove-masked.js';
import type { JobContext } from './server.js';

/**
 * Runs the first rows of a split through the live run and the reloaded export.
 * @throws StudioError `bad-data` for a split without rows; `bad-file` for an export that cannot be read back
 */
export async function proveExport(
  job: JobOf<'prove-export'>,
  context: JobContext,
  engine: EngineDoor,
): Promise<ResultOf<'prove-export'>> {
  if (job.model.objective.type === 'causal-lm') return proveLanguage(job, context, engine);
  if (job.model.objective.type === 'masked-lm') return proveMasked(job, context, engine);
  const rows = await firstRows(job.rowsFile, job.limit, 'to prove the export with');
  await context.emit({ type: 'progress', done: 0, total: 2, message: 'Running the live run' });
  const live = await answersOf(await openPredictor(job.model, engine), rows, context);
  await context.emit({ type: 'progress', done: 1, total: 2, message: 'Running the reloaded export' });
  await context.breathe();
  const again = await answersOf(await reload({ ...job, model: await onOwnBase(job) }), rows, context);
  return { type: 'prove-export', rows: rows.length, ...compared(live, again) };
}

/** The logits and labels of two models. */
export function compared(live: readonly RowAnswer[], again: readonly RowAnswer[]): Compared {
  return {
    largestDifference: live.reduce(
      (largest, { logits }, row) => Math.max(largest, largestOf(logits, again[row]?.logits ?? [])),
      0,
    ),
    sameLabels: live.every(({ label }, row) => label === again[row]?.label),
  };
}

async function answersOf(open: OpenPredictor, rows: readonly SplitRow[], context: JobContext) {
  try {
    return await answer(open, rows, context.breathe);
  } finally {
    await open.predictor.dispose();
  }
}

/** An adapter that brings the model along on which it stands is proved on that. */
export async function onOwnBase({
  folder,
  model,
}: Pick<JobOf<'prove-export'>, 'folder' | 'model'>): Promise<ServedModel> {
  return { ...model, modelFolder: (await baseIn(folder)) ?? model.modelFolder };
}

/** The export as a model that answers, from its own files: an adapter on the base, or a folder that stands for itself. */
async function reload({
  format,
  folder,
  model: served,
}: Pick<JobOf<'prove-export'>, 'format' | 'folder' | 'model'>): Promise<OpenPredictor> {
  const labels = namedIn(served);
  const where = {
    seed: served.seed,
    device: served.device,
    ...(served.threads === null ? {} : { threads: served.threads }),
  };
  switch (format) {
    case 'peft':
    case 'adapterhub':
    case 'studio': {
      const model = await openModel(served.modelFolder);
      const { method, parameters, labels: theirs, verbalizer, wording } = await loadAdapter(folder, model);
      checkLabels(folder, theirs, labels);
      const tokenizer = await openTokenizer(served.modelFolder, model);
      const reading = verbalizer
        ? await readingOf({ ...classesOf(served), verbalizer, wording }, tokenizer, model)
        : await servedReading(served, tokenizer, model);
      const { objective } = reading;
      return {
        served,
        tokenizer,
        reading,
        predictor: await createPredictor({ model, method, objective, parameters, ...where }),
      };
    }
    case 'merged': {
      // Opened as any base model is: its head is read from the folder because no other start is given.
      const model = await openModel(folder);
      checkLabels(folder, (await loadAdapter(folder, model)).labels, labels);
      const tokenizer = await openTokenizer(folder, model);
      const reading = await servedReading(served, tokenizer, model);
      return {
        served,
        tokenizer,
        reading,
        predictor: await createPredictor({
          model,
          method: { type: 'head' },
          objective: reading.objective,
          parameters: new Map(),
          ...where,
        }),
      };
    }
    case 'onnx': {
      const onnx = await openOnnx(join(folder, 'model.onnx'), outputsOf(served));
      const tokenizer = await openTokenizer(folder);
      const { objective } = served;
      return {
        served,
        tokenizer,
        reading: marks(objective)
          ? await servedReading(served, tokenizer, { architecture: '' })
          : {
              encoder: tokenizer,
              reading: null,
              objective: { type: 'classification', labels: classesOf(served).labels },
            },
        predictor: { predict: (batch: Batch) => onnx.predict(batch), dispose: () => onnx.dispose() },
      };
    }
  }
}

/** Labels that an export has to name; none of a model that marks answers. */
const namedIn = (served: ServedModel): readonly string[] | null =>
  served.objective.type === 'question-answering'
    ? null
    : served.objective.type === 'token-classification'
      ? served.objective.labels
      : classesOf(served).labels;

function outputsOf(served: ServedModel): OnnxOutputs {
  const labels = namedIn(served);
  if (labels === null) return { of: 'ends' };
  return { of: marks(served.objective) ? 'tokens' : 'texts', classes: labels.length };
}

function checkLabels(folder: string, theirs: readonly string[] | null, ours: readonly string[] | null): void {
  if (theirs === null || ours === null || theirs.join('\0') === ours.join('\0')) return;
  throw new StudioError(
    'bad-file',
    `${folder} names its labels ${theirs.join(', ')}; the run's are ${ours.join(', ')}.`,
    'Export the run again into an empty folder.',
    { folder },
  );
}
