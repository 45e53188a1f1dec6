/** Proof of an export: reloaded as another program would, run on real rows, compared with the live run. */
import { join } from 'node:path';
import { alike } from '../contract/answer-words.js';
import { StudioError } from '../contract/errors.js';
import { labelsIn, type LearnedObjective } from '../contract/learned.js';
import { openTokenizer } from '../data/index.js';
import { createPredictor, openModel, openOnnx, type Batch, type OnnxOutputs } from '../engine/index.js';
import { baseIn, headOf, loadAdapter, type LoadedFolder } from '../interchange/index.js';
import type { RowAnswer } from './answering.js';
import { firstRows } from './dataset.js';
import type { EngineDoor } from './engine-door.js';
import { largestOf, type Compared } from './difference.js';
import { answer, openPredictor, type OpenPredictor } from './predictors.js';
import { marks, type JobOf, type ResultOf, type ServedModel, type SplitRow } from './protocol.js';
import { readingOf } from './reading.js';
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

/** The logits and labels of two models. Of numbers beyond 1 the difference is a share of them: a float of that size is no finer. */
export function compared(live: readonly RowAnswer[], again: readonly RowAnswer[]): Compared {
  let [largestDifference, sameLabels] = [0, true];
  live.forEach(({ logits, value, label }, row) => {
    const apart = largestOf(logits, again[row]?.logits ?? []) / Math.max(1, Math.abs(value ?? 0));
    largestDifference = Math.max(largestDifference, apart);
    // As texts two numbers may be rounded apart.
    sameLabels &&= value === null ? label === again[row]?.label : apart <= alike;
  });
  return { largestDifference, sameLabels };
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
  const { objective: learned } = served;
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
      const loaded = await loadAdapter(folder, model);
      const { method, parameters, verbalizer, wording } = loaded;
      checkHead(folder, loaded, learned);
      const tokenizer = await openTokenizer(served.modelFolder, model);
      const own = learned.type === 'classification' && verbalizer ? { ...learned, verbalizer, wording } : learned;
      const reading = await readingOf(own, tokenizer, model);
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
      checkHead(folder, await loadAdapter(folder, model), learned);
      const tokenizer = await openTokenizer(folder, model);
      const reading = await readingOf(learned, tokenizer, model);
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
      const onnx = await openOnnx(join(folder, 'model.onnx'), onnxOutputs(learned));
      const tokenizer = await openTokenizer(folder);
      return {
        served,
        tokenizer,
        reading: await readingOf(learned, tokenizer, await openModel(served.modelFolder)),
        predictor: { predict: (batch: Batch) => onnx.predict(batch), dispose: () => onnx.dispose() },
      };
    }
  }
}

function onnxOutputs(learned: LearnedObjective): OnnxOutputs {
  if (learned.type === 'question-answering') return { of: 'ends' };
  return { of: marks(learned) ? 'tokens' : 'texts', classes: labelsIn(learned)?.length ?? 1 };
}

/** What a folder says of its head must be the run's. */
function checkHead(folder: string, { labels: theirs, problem }: LoadedFolder, learned: LearnedObjective): void {
  const ours = labelsIn(learned);
  const named = theirs === null || ours === null || theirs.join('\0') === ours.join('\0');
  if (named && (problem ?? null) === (headOf(learned).problem ?? null)) return;
  throw new StudioError(
    'bad-file',
    `${folder} names its labels ${theirs?.join(', ') ?? 'not at all'} (${problem ?? 'one a text'}); the run's are ${ours?.join(', ') ?? 'none'} (${learned.type}).`,
    'Export the run again into an empty folder.',
    { folder },
  );
}
