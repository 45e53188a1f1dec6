/**
 * Values that a graphics device has overwritten and keeps: the next step reads them there, without a way through memory, and they are
 * brought back when somebody asks for them.
 */
import { EngineError } from '../errors.js';
import { Graph } from '../graph/graph.js';
import type { DeviceId } from '../types.js';
import { floatsOf, GraphSession, type Feeds, type Runtime } from './session.js';

type Tensor = Feeds[string];

/** Devices whose values the runtime can leave where they are. */
export const keepsState = (device: DeviceId): boolean => device === 'webgpu';

/** Lets go a tensor of the device; one in memory is its owner's. */
export function letGo(tensor: Tensor | undefined): void {
  if (tensor && tensor.location !== 'cpu') tensor.dispose();
}

const readName = (name: string) => `${name} in memory`;

export class DeviceState {
  readonly #held = new Map<string, Tensor>();
  #reader: Promise<GraphSession> | undefined;
  #behind = false;

  /** @param alsoRead by the name of a value, which is updated as one row, the input that reads it in its own shape */
  constructor(
    private readonly ort: Runtime,
    private readonly device: DeviceId,
    private readonly alsoRead: ReadonlyMap<string, { readonly name: string; readonly dims: readonly number[] }>,
  ) {}

  /** Has the device newer values than memory? */
  get behind(): boolean {
    return this.#behind;
  }

  feeds(): Feeds {
    const feeds: Feeds = Object.fromEntries(this.#held);
    for (const [value, { name, dims }] of this.alsoRead) {
      const held = this.#held.get(value);
      if (held) feeds[name] = this.ort.Tensor.fromGpuBuffer(held.gpuBuffer, { dataType: 'float32', dims });
    }
    return feeds;
  }

  /** Takes of a run's outputs what it has left on the device over inputs of `state`; what stood there before goes. */
  take(result: Feeds, inPlace: ReadonlyMap<string, string>, state: Feeds): void {
    for (const [output, over] of inPlace) {
      const tensor = result[output];
      if (!(over in state) || tensor === undefined || tensor.location === 'cpu') continue;
      letGo(this.#held.get(over));
      this.#held.set(over, tensor);
      this.#behind = true;
    }
  }

  /** Throws EngineError 'bad-graph' where memory is behind. */
  requireBrought(): void {
    if (this.#behind)
      throw new EngineError('bad-graph', 'Values are still on the device: they were read before settle().');
  }

  /** Writes all values into the memory of the tensors of their names. Throws EngineError as a run does. */
  async bring(into: Feeds): Promise<void> {
    if (!this.#behind) return;
    this.#reader ??= this.#read();
    const reader = await this.#reader;
    const one = new this.ort.Tensor('float32', Float32Array.of(1), []);
    const outputs = Object.fromEntries(reader.model.outputs.map((name) => [name, null]));
    const read = await reader.run({ ...this.feeds(), one }, outputs, this.device);
    for (const name of this.#held.keys()) floatsOf(into[name]).set(floatsOf(read[readName(name)]));
    this.#behind = false;
  }

  /** The binding's own way back ends the process (onnxruntime-node 1.30: getData of a device's tensor), so a graph reads them. */
  #read(): Promise<GraphSession> {
    const g = new Graph();
    const one = g.input('one', 'float32', []);
    for (const [name, { dims }] of this.#held) g.output(readName(name), g.mul(g.input(name, 'float32', dims), one));
    return GraphSession.create(g, { device: this.device });
  }

  /** Memory has been written: what the device holds is no longer true. */
  drop(): void {
    for (const tensor of this.#held.values()) letGo(tensor);
    this.#held.clear();
    this.#behind = false;
  }

  async dispose(): Promise<void> {
    this.drop();
    await (await this.#reader)?.dispose();
  }
}
