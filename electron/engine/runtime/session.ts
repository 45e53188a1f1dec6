/** Sessions of onnxruntime-node. The runtime is loaded when the first session is made, so that only the trainer process has it. */
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { EngineError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { writeOnnx, type OnnxModel, type WeightSource } from '../onnx/writer.js';
import type { DeviceId } from '../types.js';
import { largestWhole } from './eight-bit.js';
import { giveBackSession, poolKey, takeSession } from './session-pool.js';

export type Runtime = typeof import('onnxruntime-node');

let loaded: Promise<Runtime> | undefined;

export function runtime(): Promise<Runtime> {
  loaded ??= import('onnxruntime-node').catch((error: unknown) => {
    throw new EngineError(
      'device-failed',
      'ONNX Runtime could not be loaded.',
      'Install the app again; on Linux, glibc 2.28 or newer is needed.',
      {},
      { cause: error },
    );
  });
  return loaded;
}

export interface SessionOptions {
  readonly device: DeviceId;
  readonly threads?: number;
  /** Weights are also held in the order that the processor's kernels like: quicker (the default), for twice their memory and more. */
  readonly packWeights?: boolean;
  /** On the CPU, products with the base's frozen matrices are computed in 8 bits; false by default. */
  readonly loadIn8bit?: boolean;
  /** Outputs that stay on the device after a run; left out: none. */
  readonly stays?: (output: string) => boolean;
  /** Folder that external weights are relative to, and where each lies; left out for graphs without weights. */
  readonly folder?: string;
  readonly weights?: (name: string) => WeightSource;
}

/**
 * onnxruntime-node copies each output of a run for JavaScript, also those that were written into the caller's memory: of a full
 * fine-tuning all values and moments, a second time in memory. It stops at an output that is no tensor. So where all outputs have
 * their memory, such a one is asked for before them; by then the run is over and they are written.
 */
const MARK = 'written';
export const stopped = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Non tensor type is temporarily not supported.';

const noWeights = (name: string): never => {
  throw new EngineError('bad-graph', `${name} has no place where its weights lie.`);
};

/** It would copy all slices of a gradient at once. */
const copying = ['GatherSliceToSplitFusion'];
/** They would widen weights once and for all, or once for all uses in a run. */
const widening = ['ConstantFolding', 'CommonSubexpressionElimination'];

const placesOf = (outputs: readonly string[], staying: ReadonlySet<string>) =>
  Object.fromEntries(outputs.map((name) => [name, staying.has(name) ? ('gpu-buffer' as const) : ('cpu' as const)]));

export type Feeds = Record<string, OrtTensor>;

export class GraphSession {
  private constructor(
    readonly model: Omit<OnnxModel, 'bytes'>,
    private readonly session: InferenceSession,
    /** By what it is kept; null where none are. */
    private readonly key: string | null,
    private readonly staying: ReadonlySet<string>,
  ) {}

  /** Throws EngineError 'device-failed' with the provider's reason, 'out-of-memory' where memory ran out. */
  static async create(
    graph: Graph,
    { device, threads, packWeights = true, loadIn8bit = false, stays, folder, weights }: SessionOptions,
  ): Promise<GraphSession> {
    const ort = await runtime();
    const onCpu = device === 'cpu';
    const rounded = loadIn8bit && onCpu;
    // Of weights in 8 bits the runtime holds the packed ones only.
    const packed = packWeights || rounded;
    const { bytes, ...model } = writeOnnx(graph, {
      target: onCpu ? 'cpu' : 'gpu',
      weights: weights ?? noWeights,
      keepHalves: !packed && onCpu,
      ...(rounded ? { eightBit: await largestWhole(ort) } : {}),
      ...(onCpu ? { mark: MARK } : {}),
    });
    const staying = new Set(stays ? model.outputs.filter(stays) : []);
    const key = poolKey(bytes, folder, { device, threads, packed, staying: [...staying] });
    const kept = takeSession(key);
    if (kept) return new GraphSession(model, kept, key, staying);
    try {
      const session = await ort.InferenceSession.create(bytes, {
        executionProviders: onCpu ? ['cpu'] : [device, 'cpu'],
        // Sizes differ from batch to batch: a plan made for one would be kept beside the next.
        enableMemPattern: false,
        graphOptimizationLevel: 'all',
        ...(staying.size === 0 ? {} : { preferredOutputLocation: placesOf(model.outputs, staying) }),
        ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
        logSeverityLevel: 3,
        extra: {
          optimization: { disable_specified_optimizers: [...copying, ...(model.halves > 0 ? widening : [])].join(';') },
          session: {
            // Weights of padding underflow to numbers that processors handle a hundred times slower than zero.
            set_denormal_as_zero: '1',
            ...(packed ? {} : { disable_prepacking: '1' }),
            ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
          },
        },
      });
      return new GraphSession(model, session, key, staying);
    } catch (error) {
      throw runtimeError(error, device);
    }
  }

  /** Runs with the feeds that the graph takes; outputs named in `into` are written there, into new memory where it is null. */
  async run(
    feeds: Feeds,
    into: Readonly<Record<string, OrtTensor | null>>,
    device: DeviceId,
  ): Promise<Record<string, OrtTensor>> {
    const own: Feeds = {};
    for (const name of this.model.inputs) {
      const tensor = feeds[name];
      if (!tensor) throw new EngineError('bad-input', `The graph's input ${name} was not fed.`);
      own[name] = tensor;
    }
    const written = Object.values(into).every((tensor) => tensor !== null);
    try {
      if (this.staying.size > 0) return await this.#runBound(own, into);
      return await this.session.run(own, written && device === 'cpu' ? { [MARK]: null, ...into } : into);
    } catch (error) {
      if (written && stopped(error)) return into as Record<string, OrtTensor>;
      throw runtimeError(error, device);
    }
  }

  /** Where outputs stay on the device the runtime makes all of them anew: what came to memory is copied to where it belongs. */
  async #runBound(feeds: Feeds, into: Readonly<Record<string, OrtTensor | null>>): Promise<Record<string, OrtTensor>> {
    const outputs = Object.fromEntries(Object.keys(into).map((name) => [name, null]));
    const made: Record<string, OrtTensor> = { ...(await this.session.run(feeds, outputs)) };
    for (const [name, tensor] of Object.entries(into)) {
      if (tensor === null || made[name]?.location !== 'cpu') continue;
      floatsOf(tensor).set(floatsOf(made[name]));
      made[name] = tensor;
    }
    return made;
  }

  dispose(): Promise<void> {
    return giveBackSession(this.key, this.session);
  }
}

/** Values of a float32 output. Throws EngineError 'bad-graph' where the run did not give it. */
export function floatsOf(tensor: OrtTensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array))
    throw new EngineError('bad-graph', 'The graph did not give an output that was asked for.');
  return tensor.data;
}

export const scalarOf = (tensor: OrtTensor | undefined): number => floatsOf(tensor)[0] as number;

function runtimeError(error: unknown, device: DeviceId): EngineError {
  const reason = error instanceof Error ? error.message : String(error);
  if (/bad_alloc|alloc.*fail|out of memory|Failed to allocate/i.test(reason)) {
    return new EngineError(
      'out-of-memory',
      `The device ${device} ran out of memory.`,
      'Use a smaller batch or a shorter maximum length, or split the batch by gradient accumulation.',
      { device, reason },
      { cause: error },
    );
  }
  return new EngineError(
    'device-failed',
    `The device ${device} failed: ${reason}`,
    device === 'cpu' ? 'This is a fault of the app; send the log.' : 'Train on the CPU, or update the graphics driver.',
    { device },
    { cause: error },
  );
}
