/** A run merged into its base's weights and taken out again: what comes of logits and weights, and how long each answers. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import {
  baseTensor,
  openModel,
  openWeights,
  unmergedTensors,
  validateMethod,
  whyMergedForGood,
  writeSafetensors,
  type BaseModelInfo,
  type NamedTensors,
} from '../engine/index.js';
import { exportFolder, isHead, objectiveOf } from '../interchange/index.js';
import { firstRows } from './dataset.js';
import type { EngineDoor } from './engine-door.js';
import { answer, openPredictor, trainedParameters, type OpenPredictor, type RowAnswer } from './predictors.js';
import { compared, reload } from './prove-export.js';
import { headOf, type JobOf, type ResultOf, type ServedModel, type SplitRow } from './protocol.js';
import type { JobContext } from './server.js';

type Result = ResultOf<'merge-check'>;

/** @throws StudioError or EngineError `bad-input` for a run that does not merge, `bad-data` for a split without rows */
export async function mergeCheck(
  { model: served, workFolder, rowsFile, limit }: JobOf<'merge-check'>,
  context: JobContext,
  engine: EngineDoor,
): Promise<Result> {
  const { runFolder } = served;
  if (runFolder === null) throw new StudioError('bad-input', 'There is nothing to merge into the untrained base.');
  const rows = await firstRows(rowsFile, limit);
  if (rows.length === 0)
    throw new StudioError('bad-data', 'There are no rows to compare on.', 'Give the data set test rows.', {
      file: rowsFile,
    });
  const tell = (done: number, message: string) => context.emit({ type: 'progress', done, total: 4, message });
  const base = await openModel(served.modelFolder);
  const parameters = await trainedParameters(runFolder);

  await tell(0, 'Running the adapter on its base');
  const live = await timed(await openPredictor(served, engine), rows, context);
  await tell(1, 'Merging');
  const mergedFolder = join(workFolder, 'merged');
  const { method, maxLength } = served;
  const { labels, marks, verbalizer } = headOf(served.objective);
  await exportFolder('merged', { model: base, method, labels, marks, parameters, maxLength, verbalizer }, mergedFolder);
  await context.breathe();
  const opened = await reload({ format: 'merged', folder: mergedFolder, model: served });
  const merged = await timed(opened, rows, context);
  const reason = whyMergedForGood(method);
  const result = {
    type: 'merge-check',
    rows: rows.length,
    merged: compared(live.answers, merged.answers),
    milliseconds: { adapter: live.milliseconds, merged: merged.milliseconds },
    unmerged: null,
    reason,
  } as const;
  if (reason !== null) return result;

  await tell(2, 'Taking it out again');
  const folder = join(workFolder, 'unmerged');
  await cp(mergedFolder, folder, { recursive: true });
  const changed = await takeOut(served, base, parameters, { from: mergedFolder, to: folder });
  await context.breathe();
  await tell(3, 'Running the base beside it');
  const head = new Map([...parameters].filter(([name]) => isHead(base, name)));
  const own = await timed(await openBaseWith(served, base, head, engine), rows, context);
  const again = await timed(await reload({ format: 'merged', folder, model: served }), rows, context);
  return { ...result, unmerged: { ...changed, ...compared(own.answers, again.answers) } };
}

interface Changed {
  readonly tensors: number;
  readonly weightDifference: number;
  readonly largestWeight: number;
}

/** Writes the weights without the adapter, and says how far they are from the base's own. */
async function takeOut(
  served: ServedModel,
  base: BaseModelInfo,
  trained: NamedTensors,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<Changed> {
  const { labels, marks, verbalizer } = headOf(served.objective);
  const merged = await openWeights(from);
  const tensors = unmergedTensors(
    base,
    validateMethod(served.method),
    objectiveOf(base, labels, verbalizer, marks),
    trained,
    (name) => merged.read(name),
  );
  await writeSafetensors(join(to, 'model.safetensors'), tensors, { format: 'pt' });
  const written = await openWeights(to);
  const ofBase = new Set(base.parameters.map(({ name }) => name));
  let [count, weightDifference, largestWeight] = [0, 0, 0];
  for (const { name } of tensors) {
    // The head is the run's own before and after.
    if (!ofBase.has(name) || isHead(base, name)) continue;
    const [before, between, after] = [
      (await baseTensor(base, name)).data,
      (await merged.read(name)).data,
      (await written.read(name)).data,
    ];
    if (before.every((value, i) => value === between[i])) continue;
    count += 1;
    before.forEach((value, i) => {
      weightDifference = Math.max(weightDifference, Math.abs(value - (after[i] ?? Number.NaN)));
      largestWeight = Math.max(largestWeight, Math.abs(value));
    });
  }
  return { tensors: count, weightDifference, largestWeight };
}

async function openBaseWith(
  served: ServedModel,
  model: BaseModelInfo,
  parameters: NamedTensors,
  engine: EngineDoor,
): Promise<OpenPredictor> {
  const {
    tokenizer,
    reading,
    predictor: untrained,
  } = await openPredictor({ ...served, method: { type: 'head' }, runFolder: null }, engine);
  await untrained.dispose();
  const predictor = await engine.createPredictor({
    model,
    method: { type: 'head' },
    objective: reading.objective,
    parameters,
    seed: served.seed,
    device: served.device,
    ...(served.threads === null ? {} : { threads: served.threads }),
  });
  return { served, tokenizer, reading, predictor };
}

/** Answers, and the time of one row after the runtime has warmed up. */
async function timed(
  open: OpenPredictor,
  rows: readonly SplitRow[],
  context: JobContext,
): Promise<{ answers: RowAnswer[]; milliseconds: number }> {
  try {
    await answer(open, rows.slice(0, 1), context.breathe);
    const started = performance.now();
    const answers = await answer(open, rows, context.breathe);
    return { answers, milliseconds: (performance.now() - started) / rows.length };
  } finally {
    await open.predictor.dispose();
  }
}
