/** Does a run fit the memory there is, and what would make it fit. */
import type { Training } from '../contract/plan.js';

/** Peak memory as a line over the rows of a micro-batch: `fixed` at one row, `perRow` for each more. */
export interface MemoryModel {
  readonly fixed: number;
  readonly perRow: number;
  readonly peak: number;
}

/** A twentieth stays free: the system and other programs move too. */
const usable = 0.95;

export const fits = (peak: number, ceiling: number) => peak <= usable * ceiling;

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 1)} GB`;

export interface Shortage {
  readonly training: Training;
  /** The base's weights lie in memory of this process. */
  readonly onCpu: boolean;
  /** Trained parameters of all, 0 to 1. */
  readonly trainedShare: number;
  readonly memory: MemoryModel;
  /** Bytes the process may reach. */
  readonly ceiling: number;
  /** The ceiling is the user's own setting. */
  readonly limited: boolean;
  readonly availableMemoryBytes: number;
  /** Tokens of the longest row as cut. */
  readonly longestTokens: number;
}

/** Remedies with numbers, the one that changes least first. */
export function remediesFor({
  training,
  onCpu,
  trainedShare,
  memory,
  ceiling,
  limited,
  availableMemoryBytes,
  longestTokens,
}: Shortage): string[] {
  const remedies: string[] = [];
  const room = usable * ceiling - memory.fixed;
  const rows = Math.ceil(training.batchSize / training.accumulationSteps);
  const fitting = memory.perRow > 0 ? Math.floor(room / memory.perRow) + 1 : room >= 0 ? rows : 0;
  if (room >= 0 && fitting >= 1 && fitting < rows) {
    const accumulation = Math.ceil(training.batchSize / fitting);
    remedies.push(
      `Split each batch: accumulationSteps ${accumulation} keeps the result and needs about ${gigabytes(memory.fixed + memory.perRow * (Math.ceil(training.batchSize / accumulation) - 1))}.`,
    );
    remedies.push(
      `Use a batch of ${fitting * training.accumulationSteps} rows or less; ${training.batchSize} need about ${gigabytes(memory.peak)}.`,
    );
  }
  if (onCpu && training.packWeights && trainedShare <= 0.5)
    remedies.push('Set packWeights to false: the base’s weights are held once then; steps take longer.');
  if (!training.gradientCheckpointing)
    remedies.push(
      'Set gradientCheckpointing to true: layers are computed anew for the backward pass instead of kept; the result stays, steps take about half as long again.',
    );
  if (longestTokens > 32)
    remedies.push(
      `Set maxLength to ${Math.max(16, longestTokens >> 1)}: the longest row has ${longestTokens} tokens now, and memory grows with them.`,
    );
  if (trainedShare > 0.5)
    remedies.push(
      'Choose LoRA, bottleneck adapters or BitFit: gradients and two moments are held for every parameter that trains, here most of them.',
    );
  remedies.push(
    limited
      ? `Raise the memory limit in the settings (now ${gigabytes(ceiling)}).`
      : `Close other programs: ${gigabytes(availableMemoryBytes)} are free.`,
  );
  return remedies;
}
