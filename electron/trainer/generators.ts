/** Models that write: a base is read once, trained parameters lie beside it, and the longest unused are let go first. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openChatTemplate, openTokenizer, stopTokens, type ChatTemplate, type TextTokenizer } from '../data/index.js';
import type { BaseModelInfo, EngineGenerator, GeneratorOptions, MethodSpec } from '../engine/index.js';
import { trainedParameters } from './predictors.js';
import { trainedFileName, type JobOf, type Writer } from './protocol.js';

/** Those that a chat shows side by side. */
const mostOpen = 8;

/** What writing needs of the engine. */
export interface WritingEngine {
  openModel(folder: string): Promise<BaseModelInfo>;
  createGenerator(options: GeneratorOptions): Promise<EngineGenerator>;
}

/** A base and what every writer on it shares. */
interface Base {
  readonly model: BaseModelInfo;
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate;
  /** Tokens that end a text. */
  readonly stops: readonly number[];
}

export interface OpenWriter extends Omit<Base, 'model'> {
  readonly generator: EngineGenerator;
}

interface Kept extends OpenWriter {
  readonly baseKey: string;
  /** Equal for writers that can share a session. */
  readonly sessionKey: string;
}

type Loaded = 'base' | 'parameters' | 'nothing';

export class GeneratorCache {
  readonly #bases = new Map<string, Base>();
  readonly #writers = new Map<string, Kept>();

  constructor(private readonly engine: WritingEngine) {}

  /** A writer, opened if need be, and what was read for it. Files that changed meanwhile are read anew. */
  async get(
    writer: Writer,
    { device, threads }: Pick<JobOf<'generate'>, 'device' | 'threads'>,
  ): Promise<{ readonly writer: OpenWriter; readonly loaded: Loaded }> {
    const { modelFolder, runFolder, method } = writer;
    const baseKey = JSON.stringify([modelFolder, await changedAt(modelFolder)]);
    const sessionKey = JSON.stringify([baseKey, method, device, threads]);
    const trained = runFolder === null ? null : [runFolder, await changedAt(join(runFolder, trainedFileName))];
    const key = JSON.stringify([sessionKey, trained]);
    const found = this.#writers.get(key);
    if (found !== undefined) {
      this.#writers.delete(key); // A Map keeps insertion order: re-inserting makes it the youngest.
      this.#writers.set(key, found);
      return { writer: found, loaded: 'nothing' };
    }
    const known = this.#bases.get(baseKey);
    const base = known ?? (await openBase(modelFolder, this.engine));
    this.#bases.set(baseKey, base);
    const opened = await this.#open(base, sessionKey, runFolder, method, { device, threads });
    const { tokenizer, template, stops } = base;
    const kept: Kept = { generator: opened, tokenizer, template, stops, baseKey, sessionKey };
    this.#writers.set(key, kept);
    await this.#letGo();
    const read = runFolder === null ? 'nothing' : 'parameters';
    return { writer: kept, loaded: known === undefined ? 'base' : read };
  }

  async #open(
    { model, tokenizer }: Base,
    sessionKey: string,
    runFolder: string | null,
    method: MethodSpec,
    { device, threads }: Pick<JobOf<'generate'>, 'device' | 'threads'>,
  ): Promise<EngineGenerator> {
    const parameters = runFolder === null ? new Map() : await trainedParameters(runFolder);
    for (const { generator, sessionKey: other } of this.#writers.values())
      if (other === sessionKey) return generator.another(parameters);
    return this.engine.createGenerator({
      model,
      method,
      parameters,
      tokenize: (text, special) => tokenizer.ids(text, special),
      seed: 0,
      device,
      ...(threads === null ? {} : { threads }),
    });
  }

  /** Lets the longest unused writers go, and bases that no writer stands on, with their weights. */
  async #letGo(): Promise<void> {
    for (const [oldest, { generator }] of this.#writers) {
      if (this.#writers.size <= mostOpen) break;
      this.#writers.delete(oldest);
      await generator.dispose();
    }
    const used = new Set([...this.#writers.values()].map(({ baseKey }) => baseKey));
    for (const key of this.#bases.keys()) if (!used.has(key)) this.#bases.delete(key);
  }
}

async function openBase(folder: string, engine: WritingEngine): Promise<Base> {
  const model = await engine.openModel(folder);
  const tokenizer = await openTokenizer(folder, {
    vocabularySize: model.vocabularySize,
    architecture: model.architecture,
  });
  return {
    model,
    tokenizer,
    template: await openChatTemplate(folder, tokenizer),
    stops: await stopTokens(folder, tokenizer),
  };
}

const changedAt = (path: string) =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
