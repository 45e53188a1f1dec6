/** Proof of a language model's export: the losses of real rows' tokens, and what greedy generation adds to them. */
import { encodeLanguage, evaluationBatches, languageBatches, openChatTemplate, openTokenizer } from '../data/index.js';
import {
  createGenerator,
  createPredictor,
  openModel,
  type BaseModelInfo,
  type MethodSpec,
  type NamedTensors,
} from '../engine/index.js';
import { baseIn, loadAdapter } from '../interchange/index.js';
import { firstRows } from './dataset.js';
import { largestOf, type Compared } from './difference.js';
import type { EngineDoor } from './engine-door.js';
import { trainedParameters } from './predictors.js';
import type { JobOf, ResultOf, ServedModel, SplitRow } from './protocol.js';
import type { JobContext } from './server.js';

type Job = JobOf<'prove-export'>;
const generatedTexts = 2;
const generatedTokens = 8;
const promptTokens = 8;

export interface Writer {
  readonly model: BaseModelInfo;
  readonly method: MethodSpec;
  readonly parameters: NamedTensors;
}

export interface Written {
  /** -log p of each token, row by row. */
  readonly losses: readonly number[];
  readonly texts: readonly string[];
}

/** @throws StudioError `bad-data` for a split without rows; `bad-file` for an export that cannot be read back */
export async function proveLanguage(
  job: Job,
  context: JobContext,
  engine: EngineDoor,
): Promise<ResultOf<'prove-export'>> {
  const rows = await firstRows(job.rowsFile, job.limit, 'to prove the export with');
  const { model: served } = job;
  await context.emit({ type: 'progress', done: 0, total: 2, message: 'Running the live run' });
  const live = await liveLanguage(served, engine);
  const first = await written(live, served, rows, context);
  await context.emit({ type: 'progress', done: 1, total: 2, message: 'Running the reloaded export' });
  await context.breathe();
  const second = await written(await reloadLanguage(job), served, rows, context);
  return { type: 'prove-export', rows: rows.length, ...comparedTexts(first, second) };
}

/** The run on its base. */
export async function liveLanguage(served: ServedModel, engine: EngineDoor): Promise<Writer> {
  return {
    model: await engine.openModel(served.modelFolder),
    method: served.method,
    parameters: served.runFolder === null ? new Map() : await trainedParameters(served.runFolder),
  };
}

/** The tokens' losses and generated tokens of two models. */
export const comparedTexts = (first: Written, second: Written): Compared => ({
  largestDifference: largestOf(first.losses, second.losses),
  sameLabels: first.texts.every((text, at) => text === second.texts[at]),
});

/** An adapter on the base, or a merged folder that stands for itself. */
export async function reloadLanguage({ format, folder, model: served }: Job): Promise<Writer> {
  if (format === 'merged') return { model: await openModel(folder), method: { type: 'head' }, parameters: new Map() };
  const model = await openModel((await baseIn(folder)) ?? served.modelFolder);
  const { method, parameters } = await loadAdapter(folder, model);
  return { model, method, parameters };
}

/** What a model reads and writes of rows. */
export async function written(
  writer: Writer,
  served: ServedModel,
  rows: readonly SplitRow[],
  context: JobContext,
): Promise<Written> {
  const open = await openWriter(writer, served, rows, context);
  try {
    return await open.answer();
  } finally {
    await open.dispose();
  }
}

/** A model with the rows it is asked about: `read` gives the tokens' losses alone, `answer` what it writes besides. */
export interface OpenWriter {
  read(): Promise<number[]>;
  answer(): Promise<Written>;
  dispose(): Promise<void>;
}

export async function openWriter(
  writer: Writer,
  served: ServedModel,
  rows: readonly SplitRow[],
  context: JobContext,
): Promise<OpenWriter> {
  const { folder, vocabularySize, architecture } = writer.model;
  const tokenizer = await openTokenizer(folder, { vocabularySize, architecture });
  const template = await openChatTemplate(folder, tokenizer);
  const encoded = await encodeLanguage(
    rows,
    { tokenizer, template },
    { maxLength: served.maxLength, completionOnly: false },
  );
  const options = {
    ...writer,
    seed: served.seed,
    device: served.device,
    ...(served.threads === null ? {} : { threads: served.threads }),
  };
  const predictor = await createPredictor({ ...options, objective: { type: 'causal-lm' } });
  const source = languageBatches(encoded, tokenizer.padId, false);
  const read = async (): Promise<number[]> => {
    const losses: number[] = [];
    for (const { batch } of evaluationBatches(source, 16)) {
      losses.push(...((await predictor.evaluate(batch)).tokenLosses ?? []));
      await context.breathe();
    }
    return losses;
  };
  return {
    read,
    answer: async () => ({ losses: await read(), texts: await generated(options, encoded) }),
    dispose: () => predictor.dispose(),
  };
}

/** What greedy generation adds to the first rows' beginnings, token by token. */
async function generated(
  options: Parameters<typeof createGenerator>[0],
  encoded: Awaited<ReturnType<typeof encodeLanguage>>,
): Promise<string[]> {
  const generator = await createGenerator(options);
  const texts: string[] = [];
  try {
    for (let row = 0; row < Math.min(generatedTexts, encoded.size); row += 1) {
      const from = encoded.offsets[row] ?? 0;
      const prompt = [...encoded.tokens.subarray(from, from + Math.min(promptTokens, encoded.length(row)))];
      const tokens: number[] = [];
      for await (const token of generator.generate(prompt, { maxNewTokens: generatedTokens })) tokens.push(token);
      texts.push(tokens.join(' '));
    }
  } finally {
    await generator.dispose();
  }
  return texts;
}
