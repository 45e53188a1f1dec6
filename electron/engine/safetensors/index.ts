/** Safetensors files: checked reading, atomic writing, a folder's weights. */
export type { Dtype, SafetensorsEntry, SafetensorsHeader } from './header.js';
export { isFloat, readSafetensors, readSafetensorsHeader, readTensor } from './reader.js';
export { sweepTemporaries, writeSafetensors, type TensorToWrite } from './writer.js';
export { openWeights, type WeightEntry, type Weights } from './weights.js';
