/** Models that answer: opened once, kept while they are used, the longest unused one let go first. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { labelsIn, verbalizerIn, wordingIn } from '../contract/learned.js';
import { encodeRows, type TextTokenizer } from '../data/index.js';
import type { EngineClassifier, EnginePredictor, EngineScorer, NamedTensors } from '../engine/index.js';
import { answeringOf, type RowAnswer } from './answering.js';
import { openBase, type OpenBase } from './bases.js';
import { readHashed } from './checkpoint.js';
import type { EngineDoor } from './engine-door.js';
import { logitsOf } from './evaluate.js';
import { markedAnswers } from './marking.js';
import { marks, trainedFileName, type ServedModel } from './protocol.js';
import { readingOf, type TaskReading } from './reading.js';

/** Runs a playground compares side by side, and one more. */
const mostOpen = 6;

export interface OpenPredictor {
  readonly served: ServedModel;
  readonly tokenizer: TextTokenizer;
  readonly reading: TaskReading;
  readonly predictor: EngineClassifier & { evaluate?: EngineScorer['evaluate'] };
}

/** The trained parameters of a finished run. @throws StudioError `not-found` if the run has none. */
export async function trainedParameters(runFolder: string): Promise<NamedTensors> {
  const path = join(runFolder, trainedFileName);
  const there = await stat(path).then(
    () => true,
    () => false,
  );
  if (!there)
    throw new StudioError(
      'not-found',
      `${runFolder} holds no trained parameters.`,
      'Only a finished run can answer; resume it or choose another.',
      { path },
    );
  return (await readHashed(path)).tensors;
}

/** Opens a model apart from any cache. The caller disposes its predictor. */
export async function openPredictor(served: ServedModel, engine: EngineDoor): Promise<OpenPredictor> {
  return openOn(await openBase(served.modelFolder, engine), served, engine, false);
}

/** A wording is all that a search keeps: there is nothing to load. */
const parametersOf = (served: ServedModel) =>
  served.runFolder === null || wordingIn(served.objective) !== undefined
    ? Promise.resolve<NamedTensors>(new Map())
    : trainedParameters(served.runFolder);

interface Switchable extends OpenPredictor {
  readonly predictor: EnginePredictor;
}

/** `shareBase`: the base's weights are held once for all predictors on it. */
async function openOn(
  { model, tokenizer }: OpenBase,
  served: ServedModel,
  engine: EngineDoor,
  shareBase: boolean,
): Promise<Switchable> {
  const reading = await readingOf(served.objective, tokenizer, model);
  const predictor = await engine.createPredictor({
    model,
    method: served.method,
    objective: reading.objective,
    parameters: await parametersOf(served),
    seed: served.seed,
    device: served.device,
    shareBase,
    ...(served.threads === null ? {} : { threads: served.threads }),
  });
  return { served, tokenizer, reading, predictor };
}

/** Answers of a model for texts, in order. `breathe` is called after each batch. */
export async function answer(
  open: OpenPredictor,
  rows: readonly { readonly text: string; readonly pair: string | null }[],
  breathe: () => Promise<void>,
): Promise<RowAnswer[]> {
  if (marks(open.served.objective)) return markedAnswers(open, rows, breathe);
  const { maxLength } = open.served;
  const { outputs, targets: width, answer: answerTo } = answeringOf(open.served.objective);
  const unknown = Array.from({ length: width }, () => 0);
  const encoded = await encodeRows(
    rows.map((row, id) => ({ id, ...row, label: '' })),
    open.reading.encoder,
    { labels: null, maxLength, ...(width > 0 ? { targets: { width, of: () => unknown } } : {}) },
  );
  const logits = await logitsOf(
    open.predictor,
    encoded,
    outputs,
    { padId: open.tokenizer.padId, reading: open.reading.reading },
    breathe,
  );
  return rows.map((_, row) => {
    const own = Array.from(logits.subarray(row * outputs, (row + 1) * outputs));
    return { logits: own, ...answerTo(own) };
  });
}

/** Equal for runs whose predictors differ in their parameters only: another of them needs no session of its own. */
function graphOf(served: ServedModel): string {
  const { modelFolder, method, device, threads } = served;
  if (marks(served.objective)) return JSON.stringify([modelFolder, method, served.objective, device, threads]);
  const verbalizer = verbalizerIn(served.objective);
  const head = [served.objective.type, answeringOf(served.objective).outputs];
  return JSON.stringify([
    modelFolder,
    method,
    verbalizer ? [labelsIn(served.objective), verbalizer] : head,
    device,
    threads,
  ]);
}

/** The base of each folder is open once, as long as a predictor stands on it: switching between tasks does not read it again. */
export class PredictorCache {
  private readonly open = new Map<string, Switchable>();
  private readonly bases = new Map<string, OpenBase>();

  constructor(
    private readonly engine: EngineDoor,
    private readonly most = mostOpen,
  ) {}

  /** The predictor of a model, opened if need be. A key that now means another model (a run trained again) opens anew. */
  async get(served: ServedModel): Promise<OpenPredictor> {
    const key = await this.keyOf(served);
    const found = this.open.get(key);
    if (found !== undefined) {
      this.open.delete(key); // A Map keeps insertion order: re-inserting makes it the youngest.
      this.open.set(key, found);
      return found;
    }
    const opened = await this.openShared(served).catch((error: unknown) => {
      this.forgetBases();
      throw error;
    });
    this.open.set(key, opened);
    for (const [oldest, { predictor }] of this.open) {
      if (this.open.size <= this.most) break;
      this.open.delete(oldest);
      await predictor.dispose();
    }
    this.forgetBases();
    return opened;
  }

  /** Lets `work` use a model. One that is not open stays so afterwards where `keep`, else it is let go. */
  async use<T>(served: ServedModel, keep: boolean, work: (open: OpenPredictor) => Promise<T>): Promise<T> {
    if (keep || this.open.has(await this.keyOf(served))) return work(await this.get(served));
    const opened = await this.openShared(served);
    try {
      return await work(opened);
    } finally {
      await opened.predictor.dispose();
      this.forgetBases();
    }
  }

  async dispose(): Promise<void> {
    const all = [...this.open.values()];
    this.open.clear();
    this.bases.clear();
    for (const { predictor } of all) await predictor.dispose();
  }

  private async openShared(served: ServedModel): Promise<Switchable> {
    const base = this.bases.get(served.modelFolder) ?? (await openBase(served.modelFolder, this.engine));
    this.bases.set(served.modelFolder, base);
    const alike = [...this.open.values()].find((other) => graphOf(other.served) === graphOf(served));
    if (!alike || served.runFolder === null || alike.served.runFolder === null)
      return openOn(base, served, this.engine, true);
    const { tokenizer, model } = base;
    return {
      served,
      tokenizer,
      reading: await readingOf(served.objective, tokenizer, model),
      predictor: await alike.predictor.another(await parametersOf(served)),
    };
  }

  private forgetBases(): void {
    const used = new Set([...this.open.values()].map(({ served }) => served.modelFolder));
    for (const folder of this.bases.keys()) if (!used.has(folder)) this.bases.delete(folder);
  }

  private async keyOf(served: ServedModel): Promise<string> {
    if (served.runFolder === null) return JSON.stringify(served);
    const { mtimeMs } = await stat(join(served.runFolder, trainedFileName)).catch(() => ({ mtimeMs: 0 }));
    return JSON.stringify([served, mtimeMs]);
  }
}
