/** Models that answer: opened once, kept while they are used, the longest unused one let go first. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { encodeRows, openTokenizer, type TextTokenizer } from '../data/index.js';
import type { EnginePredictor, NamedTensors } from '../engine/index.js';
import { softmax } from '../evaluation/index.js';
import { readHashed } from './checkpoint.js';
import type { EngineDoor } from './engine-door.js';
import { logitsOf } from './evaluate.js';
import { trainedFileName, type ServedModel } from './protocol.js';
import { readingOf, type TaskReading } from './reading.js';

/** Runs a playground compares side by side, and one more. */
const mostOpen = 6;

export interface OpenPredictor {
  readonly served: ServedModel;
  readonly tokenizer: TextTokenizer;
  readonly reading: TaskReading;
  readonly predictor: EnginePredictor;
}

export interface RowAnswer {
  readonly label: string;
  readonly logits: number[];
  readonly probabilities: number[];
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
  const model = await engine.openModel(served.modelFolder);
  const tokenizer = await openTokenizer(served.modelFolder, {
    vocabularySize: model.vocabularySize,
    architecture: model.architecture,
  });
  const reading = await readingOf(served, tokenizer, model);
  const predictor = await engine.createPredictor({
    model,
    method: served.method,
    objective: reading.objective,
    parameters: served.runFolder === null ? new Map() : await trainedParameters(served.runFolder),
    seed: served.seed,
    device: served.device,
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
  const { labels, maxLength } = open.served;
  // The label is not known and not used; the first one stands in, since encoded rows carry an index.
  const encoded = await encodeRows(
    rows.map((row, id) => ({ id, ...row, label: labels[0] ?? '' })),
    open.reading.encoder,
    { labels, maxLength },
  );
  const logits = await logitsOf(
    open.predictor,
    encoded,
    labels.length,
    { padId: open.tokenizer.padId, reading: open.reading.reading },
    breathe,
  );
  const probabilities = softmax(logits, labels.length);
  return rows.map((_, row) => {
    const from = row * labels.length;
    const own = Array.from(logits.subarray(from, from + labels.length));
    return {
      label: labels[own.indexOf(Math.max(...own))] ?? '',
      logits: own,
      probabilities: Array.from(probabilities.subarray(from, from + labels.length)),
    };
  });
}

export class PredictorCache {
  private readonly open = new Map<string, OpenPredictor>();

  constructor(private readonly engine: EngineDoor) {}

  /** The predictor of a model, opened if need be. A key that now means another model (a run trained again) opens anew. */
  async get(served: ServedModel): Promise<OpenPredictor> {
    const key = await this.keyOf(served);
    const found = this.open.get(key);
    if (found !== undefined) {
      this.open.delete(key); // A Map keeps insertion order: re-inserting makes it the youngest.
      this.open.set(key, found);
      return found;
    }
    const opened = await openPredictor(served, this.engine);
    this.open.set(key, opened);
    for (const [oldest, { predictor }] of this.open) {
      if (this.open.size <= mostOpen) break;
      this.open.delete(oldest);
      await predictor.dispose();
    }
    return opened;
  }

  /** Lets `work` use a model. One that is not open stays so afterwards where `keep`, else it is let go. */
  async use<T>(served: ServedModel, keep: boolean, work: (open: OpenPredictor) => Promise<T>): Promise<T> {
    if (keep || this.open.has(await this.keyOf(served))) return work(await this.get(served));
    const opened = await openPredictor(served, this.engine);
    try {
      return await work(opened);
    } finally {
      await opened.predictor.dispose();
    }
  }

  async dispose(): Promise<void> {
    const all = [...this.open.values()];
    this.open.clear();
    for (const { predictor } of all) await predictor.dispose();
  }

  private async keyOf(served: ServedModel): Promise<string> {
    if (served.runFolder === null) return JSON.stringify(served);
    const { mtimeMs } = await stat(join(served.runFolder, trainedFileName)).catch(() => ({ mtimeMs: 0 }));
    return JSON.stringify([served, mtimeMs]);
  }
}
