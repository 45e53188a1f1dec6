/**
 * Word embeddings that train. A step has gradients for the rows of its own words alone, and a row that no word has used yet has
 * moments of 0: its update is the weight decay and nothing else. So moments, gradient and update are of the rows used so far,
 * which gives bit for bit what an update of the whole table gives, in a fraction of its time and memory.
 */
import { EngineError } from '../errors.js';
import { multiplyDims } from '../graph/dims.js';
import { Graph } from '../graph/graph.js';
import type { Value } from '../graph/ir.js';
import type { Bucket, BucketEntry } from '../optim/buckets.js';
import { momentName, nextName, partsOf, valueName, type Part } from '../optim/update.js';
import type { NamedTensors } from '../types.js';
import { GraphSession, type Feeds, type Runtime } from './session.js';

/** Input of the graph: the place of each token's row among the used ones. */
const PLACES = 'used_places';
/** Size of the graph: used rows of a part. They grow as words come up, alike in all parts. */
const USED = 'used';
const VALUES = 'values';
const rowsKey = (name: string) => `rows/${name}`;
const momentKey = (moment: string, name: string) => `${moment}/${name}`;

export class UsedRows {
  readonly parts: readonly Part[];
  /** Name of the table among the parameters. */
  readonly name: string;
  readonly #width: number;
  /** Place of each row of the table, -1 for one that is not used yet. */
  readonly #places: Int32Array;
  /** Row of the table at each place. */
  readonly #rows: number[] = [];
  /** Values and moments at each place, with room for more. */
  readonly #memory: Map<string, Float32Array>;
  #decay: Promise<GraphSession> | undefined;

  /** `table` is the memory of the bucket, which holds this table alone; a part has about `size` values where half of the rows are used. */
  constructor(
    private readonly ort: Runtime,
    readonly bucket: Bucket,
    private readonly table: Float32Array,
    private readonly moments: readonly string[],
    size: number,
  ) {
    const { name, shape } = bucket.entries[0] as BucketEntry;
    const [rows, width] = shape as [number, number];
    this.name = name;
    this.#width = width;
    this.#places = new Int32Array(rows).fill(-1);
    this.#memory = new Map([VALUES, ...moments].map((kind) => [kind, new Float32Array(0)]));
    this.parts = partsOf(bucket, 2 * size).map((part, i) => ({
      ...part,
      start: i,
      end: i + 1,
      shape: [1, USED, width],
    }));
  }

  /** Bytes of the moments. */
  get momentBytes(): number {
    return this.moments.length * this.#rows.length * this.#width * 4;
  }

  /** Places of each part; the last ones may be empty. */
  get #each(): number {
    return Math.max(1, Math.ceil(this.#rows.length / this.parts.length));
  }

  #dims(parts: number): number[] {
    return [parts, this.#each, this.#width];
  }

  get gradientShape() {
    return [this.parts.length, USED, this.#width] as const;
  }

  /** The table's gradient, of `gradientShape`, from that of the words that were read from it [tokens, width]. */
  gradient(g: Graph, words: Value): Value {
    const places = g.input(PLACES, 'int64', ['tokens']);
    return g.reshape(g.scatterAdd(places, words, multiplyDims(this.parts.length, USED)), this.gradientShape);
  }

  /** A gradient of zeros to add up to. */
  zeros(): Feeds[string] {
    const dims = this.#dims(this.parts.length);
    return new this.ort.Tensor('float32', new Float32Array(dims.reduce((a, d) => a * d, 1)), dims);
  }

  /** The feed of one batch's tokens, whose rows are in use. */
  placesOf(tokens: Int32Array): Feeds {
    const places = BigInt64Array.from(tokens, (row) => BigInt(this.#places[row] as number));
    return { [PLACES]: new this.ort.Tensor('int64', places, [places.length]) };
  }

  /** Takes the rows of a step's tokens into use. */
  use(tokens: Int32Array): void {
    const before = this.#rows.length;
    for (const row of tokens) {
      if (this.#places[row] !== -1) continue;
      this.#places[row] = this.#rows.length;
      this.#rows.push(row);
    }
    this.#makeRoom();
    this.#read(before);
  }

  #makeRoom(): void {
    const needed = this.#each * this.parts.length * this.#width;
    for (const [kind, memory] of this.#memory) {
      if (memory.length >= needed) continue;
      const most = (this.#places.length + this.parts.length) * this.#width;
      const larger = new Float32Array(Math.max(needed, Math.min(most, Math.ceil(1.5 * needed))));
      larger.set(memory);
      this.#memory.set(kind, larger);
    }
  }

  /** Values from the table, at the places from `first`: others have written to it. */
  #read(first: number): void {
    const values = this.#memory.get(VALUES) as Float32Array;
    const width = this.#width;
    for (let place = first; place < this.#rows.length; place++) {
      const row = this.#rows[place] as number;
      values.set(this.table.subarray(row * width, (row + 1) * width), place * width);
    }
  }

  refresh(): void {
    this.#read(0);
  }

  /** Values and moments of the parts, which the step overwrites. */
  feeds(): Feeds {
    const size = this.#each * this.#width;
    const feeds: Feeds = {};
    this.parts.forEach((part, i) => {
      for (const [kind, memory] of this.#memory) {
        const name = kind === VALUES ? valueName(part) : momentName(part, kind);
        feeds[name] = new this.ort.Tensor('float32', memory.subarray(i * size, (i + 1) * size), this.#dims(1));
      }
    });
    return feeds;
  }

  /** After a step: all other rows decay by the factor `keep`, and the table takes what the step made of the used ones. */
  async settle(keep: number): Promise<void> {
    if (Math.fround(keep) !== 1) await this.#keep(keep);
    const values = this.#memory.get(VALUES) as Float32Array;
    this.#rows.forEach((row, place) =>
      this.table.set(values.subarray(place * this.#width, (place + 1) * this.#width), row * this.#width),
    );
  }

  async #keep(keep: number): Promise<void> {
    const shape = [this.table.length];
    this.#decay ??= (() => {
      const g = new Graph();
      g.output(nextName('table'), g.mul(g.input('table', 'float32', shape), g.input('keep', 'float32', [])));
      return GraphSession.create(g, { device: 'cpu' });
    })();
    const table = new this.ort.Tensor('float32', this.table, shape);
    const factor = new this.ort.Tensor('float32', Float32Array.of(keep), []);
    await (await this.#decay).run({ table, keep: factor }, { [nextName('table')]: table }, 'cpu');
  }

  /** Which rows are used, and their moments. */
  save(live: boolean): NamedTensors {
    const size = this.#rows.length * this.#width;
    const state: NamedTensors = new Map();
    state.set(rowsKey(this.name), { shape: [this.#rows.length], data: Float32Array.from(this.#rows) });
    for (const moment of this.moments) {
      const own = (this.#memory.get(moment) as Float32Array).subarray(0, size);
      state.set(momentKey(moment, this.name), {
        shape: [this.#rows.length, this.#width],
        data: live ? own : own.slice(),
      });
    }
    return state;
  }

  /** Of `save`, with the table's own values in place. Throws EngineError 'bad-input' where a tensor is missing or does not fit. */
  load(state: NamedTensors): void {
    const rows = state.get(rowsKey(this.name))?.data;
    const saved = this.moments.map((moment) => state.get(momentKey(moment, this.name))?.data);
    const fits =
      rows?.every((row) => row < this.#places.length) &&
      saved.every((data) => data?.length === rows.length * this.#width);
    if (!rows || !fits)
      throw new EngineError(
        'bad-input',
        `The saved state does not hold the used rows of ${this.name} and their moments.`,
        'The checkpoint is broken or belongs to another plan or version.',
        { name: this.name },
      );
    this.#places.fill(-1);
    this.#rows.length = 0;
    for (const memory of this.#memory.values()) memory.fill(0);
    this.use(Int32Array.from(rows));
    this.moments.forEach((moment, i) => this.#memory.get(moment)?.set(saved[i] as Float32Array));
  }

  async dispose(): Promise<void> {
    await (await this.#decay)?.dispose();
  }
}
