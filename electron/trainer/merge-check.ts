/** A run merged into its base's weights and taken out again: what comes of answers and weights, and how long each takes. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { openTokenizer } from '../data/index.js';
import {
  baseTensor,
  openModel,
  openWeights,
  unmergedTensors,
  validateMethod,
  whyMergedForGood,
  writeSafetensors,
  type BaseModelInfo,
  type MethodSpec,
  type NamedTensors,
  type ObjectiveSpec,
} from '../engine/index.js';
import { exportFolder, headOf, isHead, objectiveOf } from '../interchange/index.js';
import { firstRows } from './dataset.js';
import type { EngineDoor } from './engine-door.js';
import type { Compared } from './difference.js';
import { answer, trainedParameters, type OpenPredictor } from './predictors.js';
import { compared } from './prove-export.js';
import { comparedTexts, openWriter, type Writer } from './prove-language.js';
import type { JobOf, ResultOf, ServedModel } from './protocol.js';
import { readingOf } from './reading.js';
import type { JobContext } from './server.js';
import { inTurns } from './turns.js';

type Result = ResultOf<'merge-check'>;

/** A model open on the rows. */
interface Asked<A> {
  answer(): Promise<A>;
  /** What is timed: of models that write, reading alone. */
  pass(): Promise<unknown>;
  dispose(): Promise<void>;
}
/** How models are asked about the rows, and what two of them are compared by. */
interface Asking<A> {
  open(model: Writer): Promise<Asked<A>>;
  compare(one: A, other: A): Compared;
}

/** @throws StudioError or EngineError `bad-input` for a run that does not merge, `bad-data` for a split without rows */
export async function mergeCheck(job: JobOf<'merge-check'>, context: JobContext, engine: EngineDoor): Promise<Result> {
  const { model: served, rowsFile, limit } = job;
  const rows = await firstRows(rowsFile, limit, 'to compare on');
  const found =
    served.objective.type === 'causal-lm'
      ? await check(job, rows.length, context, {
          async open(model) {
            const { read, ...open } = await openWriter(model, served, rows, context);
            return { ...open, pass: read };
          },
          compare: comparedTexts,
        })
      : await check(job, rows.length, context, {
          async open(model) {
            const one = await openPredictor(model, served, engine);
            const all = () => answer(one, rows, context.breathe);
            return { answer: all, pass: all, dispose: () => one.predictor.dispose() };
          },
          compare: compared,
        });
  return { type: 'merge-check', ...found };
}

async function check<A>(
  { model: served, workFolder }: JobOf<'merge-check'>,
  rows: number,
  context: JobContext,
  asking: Asking<A>,
): Promise<Omit<Result, 'type'>> {
  const { runFolder, method, maxLength, objective } = served;
  if (runFolder === null) throw new StudioError('bad-input', 'There is nothing to merge into the untrained base.');
  const tell = (done: number, message: string) => context.emit({ type: 'progress', done, total: 5, message });
  const base = await openModel(served.modelFolder);
  const parameters = await trainedParameters(runFolder);

  await tell(0, 'Merging');
  const mergedFolder = join(workFolder, 'merged');
  const head = headOf(objective);
  await exportFolder('merged', { model: base, method, ...head, parameters, maxLength }, mergedFolder);
  await context.breathe();
  // Opened as any base model is: its head is read from the folder because no other start is given.
  const byItself = async (folder: string): Promise<Writer> => ({
    model: await openModel(folder),
    method: { type: 'head' },
    parameters: new Map(),
  });
  const reason = whyMergedForGood(method);
  await tell(1, 'Running the adapter on its base');
  const beside = await using(asking, { model: base, method, parameters }, async (adapter) => {
    const live = await adapter.answer();
    await tell(2, 'Running it merged, and both in turns');
    return using(asking, await byItself(mergedFolder), async (merged) => ({
      merged: asking.compare(live, await merged.answer()),
      time: await inTurns([() => adapter.pass(), () => merged.pass()], rows),
    }));
  });
  const result = { rows, ...beside, unmerged: null, reason };
  if (reason !== null) return result;

  await tell(3, 'Taking it out again');
  const folder = join(workFolder, 'unmerged');
  await cp(mergedFolder, folder, { recursive: true });
  const planned = objectiveOf(base, head);
  const changed = await takeOut(method, base, parameters, { from: mergedFolder, to: folder, objective: planned });
  await context.breathe();
  await tell(4, 'Running the base beside it');
  const kept = new Map([...parameters].filter(([name]) => isHead(base, name)));
  const ask = (model: Writer) => using(asking, model, (open) => open.answer());
  const own = await ask({ model: base, method: { type: 'head' }, parameters: kept });
  return { ...result, unmerged: { ...changed, ...asking.compare(own, await ask(await byItself(folder))) } };
}

/** Opens a model for as long as `use` takes. */
async function using<A, R>(asking: Asking<A>, model: Writer, use: (open: Asked<A>) => Promise<R>): Promise<R> {
  const open = await asking.open(model);
  try {
    return await use(open);
  } finally {
    await open.dispose();
  }
}

interface Changed {
  readonly tensors: number;
  readonly weightDifference: number;
  readonly largestWeight: number;
}

/** Writes the weights without the adapter, and says how far they are from the base's own. */
async function takeOut(
  method: MethodSpec,
  base: BaseModelInfo,
  trained: NamedTensors,
  { from, to, objective }: { readonly from: string; readonly to: string; readonly objective: ObjectiveSpec },
): Promise<Changed> {
  const merged = await openWeights(from);
  const tensors = unmergedTensors(base, validateMethod(method), objective, trained, (name) => merged.read(name));
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

async function openPredictor(
  { model, method, parameters }: Writer,
  served: ServedModel,
  engine: EngineDoor,
): Promise<OpenPredictor> {
  const tokenizer = await openTokenizer(model.folder, model);
  const reading = await readingOf(served.objective, tokenizer, model);
  const predictor = await engine.createPredictor({
    model,
    method,
    objective: reading.objective,
    parameters,
    seed: served.seed,
    device: served.device,
    ...(served.threads === null ? {} : { threads: served.threads }),
  });
  return { served, tokenizer, reading, predictor };
}
