/**
 * What lies below everything that trains gives the same for a text each time, where nothing is dropped there: it is computed once a text
 * and kept, and steps begin above it.
 */
import type { Value } from '../graph/ir.js';
import { isLanguage } from '../objectives/index.js';
import { cellsOf } from '../objectives/placed.js';
import { BucketValues } from '../optim/buckets.js';
import type { Batch, BatchTexts, TrainerOptions } from '../types.js';
import { feedTexts } from './feeds.js';
import { floatsOf, GraphSession, type Feeds, type Runtime } from './session.js';
import { build, prepare, resolver, weightsOf, type ParameterStore, type Setup } from './setup.js';

/** How many layers, counted from the first, nothing that trains or drops stands in or below; 0 where a batch's rows are no texts that come again. */
export function frozenLayersOf(setup: Setup, modelDropout: number | null): number {
  if (isLanguage(setup.objective)) return 0;
  const { b } = build(setup, { training: true, packed: true, modelDropout });
  if (b.virtualTokens > 0) return 0;
  const drops = new Set(b.dropouts.map(({ input }) => input));
  const moves = new Set<Value>();
  for (const { op, attributes, inputs, outputs } of b.g.nodes) {
    const starts = (op === 'parameter' && attributes.trainable) || (op === 'input' && drops.has(attributes.name));
    if (starts || inputs.some((value) => moves.has(value))) outputs.forEach((value) => moves.add(value));
  }
  return Math.max(0, b.layerEnds.filter((end) => !moves.has(end)).length - 1);
}

/** What the frozen layers below a training are: `layers` of them, which give `rowFloats` numbers a token, or a text where `perText`. */
export interface FrozenPart {
  readonly layers: number;
  readonly rowFloats: number;
  readonly perText: boolean;
}

/** Of a training that is to be built; null where it has no such layers. Throws EngineError as `createTrainer`. */
export function frozenPartOf(options: TrainerOptions): FrozenPart | null {
  const setup = prepare(options, options.initial);
  const layers = frozenLayersOf(setup, options.modelDropout);
  return layers === 0 ? null : { layers, ...shapeOf(setup, layers) };
}

function shapeOf(setup: Setup, layers: number): Omit<FrozenPart, 'layers'> {
  const { b } = build(setup, { training: false, packed: true, modelDropout: null });
  const [rows, width] = (b.layerEnds[layers] as Value).type.shape;
  return { rowFloats: width as number, perText: rows === 'batch' };
}

export class FrozenLayers {
  readonly #kept = new Map<string, Float32Array>();
  readonly #part: Omit<FrozenPart, 'layers'>;
  #session: Promise<GraphSession> | undefined;
  #bytes = 0;

  /** Keeps `most` bytes; what is beyond is computed each time. */
  constructor(
    private readonly ort: Runtime,
    private readonly setup: Setup,
    private readonly stores: { readonly trained: ParameterStore; readonly fixed: ParameterStore },
    private readonly options: Pick<TrainerOptions, 'device' | 'threads' | 'packWeights'>,
    readonly layers: number,
    private readonly most: number,
  ) {
    this.#part = shapeOf(setup, layers);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What the layers give for a batch: [rows, width], or [batch, width] where the last of them computes one row a text. */
  async of(batch: Batch): Promise<Feeds> {
    const rows = await this.#rowsOf(batch);
    const { rowFloats: width, perText } = this.#part;
    const { size } = batch;
    const cells = perText ? Int32Array.from({ length: size }, (_, text) => text) : cellsOf(batch);
    const data = new Float32Array(cells.length * width);
    cells.forEach((cell, row) => {
      const at = Math.floor(cell / size) * width;
      data.set((rows[cell % size] as Float32Array).subarray(at, at + width), row * width);
    });
    return { frozen_hidden: new this.ort.Tensor('float32', data, [cells.length, width]) };
  }

  /** Of each text of a batch: [tokens, width] or [width]. Texts of one length are computed together, without padding, so that the result does not depend on what else stands in a batch. */
  async #rowsOf(batch: Batch): Promise<Float32Array[]> {
    const { size, sequence, inputIds, attentionMask, tokenTypeIds } = batch;
    const rows: Float32Array[] = [];
    const missing = new Map<number, { readonly text: number; readonly key: string }[]>();
    for (let text = 0; text < size; text++) {
      const [start, end] = [text * sequence, (text + 1) * sequence];
      const length = attentionMask.subarray(start, end).reduce((sum, mark) => sum + mark, 0);
      const own = Int32Array.of(
        ...inputIds.subarray(start, start + length),
        ...tokenTypeIds.subarray(start, start + length),
      );
      const key = Buffer.from(own.buffer).toString('latin1');
      const known = this.#kept.get(key);
      if (known) rows[text] = known;
      else missing.set(length, [...(missing.get(length) ?? []), { text, key }]);
    }
    for (const [length, texts] of missing) {
      // A product with a single row takes another kernel, which rounds otherwise.
      const taken = texts.length === 1 ? [...texts, ...texts] : texts;
      const pick = (from: Int32Array) =>
        Int32Array.from({ length: taken.length * length }, (_, i) => {
          const { text } = taken[Math.floor(i / length)] as (typeof taken)[number];
          return from[text * sequence + (i % length)] as number;
        });
      const computed = await this.#compute({
        size: taken.length,
        sequence: length,
        inputIds: pick(inputIds),
        attentionMask: new Int32Array(taken.length * length).fill(1),
        tokenTypeIds: pick(tokenTypeIds),
      });
      texts.forEach(({ text, key }, at) => (rows[text] = this.#keep(key, this.#textOf(computed, at, taken.length))));
    }
    return rows;
  }

  /** Rows of one text out of those of several, which run position first. */
  #textOf(computed: Float32Array, text: number, size: number): Float32Array {
    const { rowFloats: width } = this.#part;
    const count = computed.length / width / size;
    const own = new Float32Array(count * width);
    for (let row = 0; row < count; row++) {
      const from = (row * size + text) * width;
      own.set(computed.subarray(from, from + width), row * width);
    }
    return own;
  }

  #keep(key: string, rows: Float32Array): Float32Array {
    if (this.#bytes + rows.byteLength <= this.most && !this.#kept.has(key)) {
      this.#kept.set(key, rows);
      this.#bytes += rows.byteLength;
    }
    return rows;
  }

  async #compute(texts: BatchTexts): Promise<Float32Array> {
    const session = await (this.#session ??= this.#build());
    const { feeds } = feedTexts(this.ort, texts, this.setup);
    const fixed = this.stores.fixed.feeds(this.ort);
    return floatsOf((await session.run({ ...feeds, ...fixed }, { hidden: null }, this.options.device))['hidden']);
  }

  #build(): Promise<GraphSession> {
    const { trained, fixed } = this.stores;
    const { b } = build(this.setup, {
      training: false,
      packed: true,
      modelDropout: null,
      resolve: resolver(new BucketValues(trained.buckets), new BucketValues(fixed.buckets)),
    });
    b.g.output('hidden', b.layerEnds[this.layers] as Value);
    const { device, threads, packWeights } = this.options;
    const { folder } = this.setup.info;
    return GraphSession.create(b.g, { device, threads, packWeights, folder, weights: weightsOf(this.setup) });
  }

  async dispose(): Promise<void> {
    this.#kept.clear();
    await (await this.#session)?.dispose();
  }
}
