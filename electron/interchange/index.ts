/** Adapters and models in and out. Each export writes a folder; `loadAdapter` reads what this program, peft or AdapterHub wrote. */
import type { ExportFormat } from '../contract/entities.js';
import { exportAdapterHub } from './adapterhub.js';
import { exportMerged } from './merged.js';
import { exportOnnx } from './onnx.js';
import { exportPeft } from './peft.js';
import { exportStudio } from './studio-format.js';
import type { ExportSource } from './types.js';

export { hashFile, hashWeights } from './hash.js';
export { loadAdapter } from './load.js';
export { peftStart, type TrainedElsewhere } from './peft-start.js';
export { addBase, baseIn, writeRefinedBase } from './refined.js';
export { isHead, splitHead } from './targets.js';
export { headOf, objectiveOf, type ExportSource, type FolderKind, type LoadedFolder } from './types.js';

const writers: Readonly<Record<ExportFormat, (source: ExportSource, folder: string) => Promise<void>>> = {
  peft: exportPeft,
  adapterhub: exportAdapterHub,
  studio: exportStudio,
  merged: exportMerged,
  onnx: exportOnnx,
};

/**
 * Writes a trained run as a folder of one format; `folder` is made if it is missing.
 * @throws StudioError or EngineError `bad-input` where the method has no such format
 */
export function exportFolder(format: ExportFormat, source: ExportSource, folder: string): Promise<void> {
  return writers[format](source, folder);
}
