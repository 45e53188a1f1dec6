/** Whether a run fits this machine's memory: told before it starts, with remedies, instead of by a process that the system ends. */
import { freemem } from 'node:os';
import type { BaseModel, Estimate } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { records } from '../storage/index.js';
import type { TrainTask } from '../trainer/protocol.js';
import { workApart } from './apart.js';
import type { Context } from './context.js';

/** What the process, the runtime and the rows take besides the model. */
const FIXED_BYTES = 400e6;
/** A run that needs less than this share of the free memory by the rough bound is not probed: it fits with room to spare. */
const CLEAR_SHARE = 0.5;

/**
 * Bytes that a run hardly exceeds, from shapes alone: weights (held twice at the runtime's boundary), gradients and two moments where
 * everything trains, and what the forward pass keeps a token and layer for the backward pass.
 */
export function roughBytes(
  { parameters, layers, hiddenSize }: Pick<BaseModel, 'parameters' | 'layers' | 'hiddenSize'>,
  { method, training }: Pick<TrainTask, 'method' | 'training'>,
): number {
  const rows = Math.ceil(training.batchSize / training.accumulationSteps);
  const tokens = rows * training.maxLength;
  const kept = 40 * hiddenSize; // float32 values: residuals, projections, the feed-forward layer at four times the width, their gradients
  const attention = 4 * (hiddenSize / 32) * training.maxLength; // heads of width 32 at least, scores and their gradients
  return FIXED_BYTES + 4 * parameters * (method.type === 'full' ? 8 : 2.5) + 4 * tokens * layers * (kept + attention);
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

export class MemoryGate {
  /** Of what was probed: seeds of one setting need the same. */
  readonly #probed = new Map<string, Estimate>();

  constructor(private readonly context: Context) {}

  /**
   * Lets a run pass that fits; where that is not plain, a few real steps are measured first.
   * Resolves with a line for the run's log, or null where nothing was measured.
   * @throws StudioError 'out-of-memory' with the probe's remedies
   */
  async check(task: TrainTask, model: BaseModel): Promise<string | null> {
    const { memoryLimitBytes } = await records.readSettings(this.context.database);
    const ceiling = Math.min(memoryLimitBytes ?? Infinity, freemem());
    if (roughBytes(model, task) <= CLEAR_SHARE * ceiling) return null;
    const { seed: _seed, ...training } = task.training;
    const key = JSON.stringify([
      task.modelFolder,
      task.data.train,
      task.method,
      training,
      task.device,
      memoryLimitBytes,
    ]);
    const estimate = this.#probed.get(key) ?? (await this.#probe(task, memoryLimitBytes));
    this.#probed.set(key, estimate);
    const { peakMemoryBytes, fits, remedies } = estimate;
    if (!fits) {
      throw new StudioError(
        'out-of-memory',
        `The run would need about ${gigabytes(peakMemoryBytes)} of memory; ${gigabytes(ceiling)} can be used.`,
        remedies.join(' ') || null,
        { needed: Math.round(peakMemoryBytes), usable: Math.round(ceiling) },
      );
    }
    return `Probe: about ${gigabytes(peakMemoryBytes)} of memory of ${gigabytes(ceiling)} that can be used.`;
  }

  async #probe(task: TrainTask, memoryLimitBytes: number | null): Promise<Estimate> {
    // A process of its own: its peak is what is measured, and one that the system ends takes nothing along.
    return (await workApart<'probe'>(this.context, { type: 'probe', task, memoryLimitBytes })).estimate;
  }
}
