/** The engine's only door. */
export * from './errors.js';
export * from './types.js';
export * from './safetensors/index.js';
export { openModel } from './models/folder.js';
export { architectureOf, isDecoder } from './models/registry.js';
export {
  describeMethod,
  keptMethod,
  listMethods,
  positionsOf,
  searchesWording,
  stagesOf,
  validateMethod,
} from './peft/index.js';
export { learningRateAt, type ScheduleOptions } from './optim/schedule.js';
export { createTrainer, parametersOf } from './runtime/trainer.js';
export { frozenPartOf, type FrozenPart } from './runtime/frozen-layers.js';
export { keepSessions } from './runtime/session-pool.js';
export { startWording } from './runtime/search.js';
export { createPredictor } from './runtime/evaluator.js';
export { createGenerator } from './runtime/generate.js';
export { mapParameters, type MapGroup, type MapModule, type MapTensor } from './runtime/map.js';
export { countParameters, type ParameterCounts } from './runtime/counts.js';
export { selfTest } from './runtime/self-test.js';
export { runtimeIdentity, type RuntimeIdentity } from './runtime/identity.js';
export { exportOnnx, planParameters, type ParameterPlan } from './runtime/export.js';
export { adapterHubFormats, hubSetupOf, type AdapterHubFormat, type HubContext } from './peft/index.js';
export { peftFormats, type PeftContext, type PeftFormat } from './peft/index.js';
export {
  composeAdapters,
  composedMethod,
  type AdapterShape,
  type ComposedAdapter,
  type CompositionKind,
  type CompositionSpec,
  type WeightedAdapter,
} from './peft/compose.js';
export {
  baseTensor,
  describeHead,
  mergedConfig,
  mergedTensors,
  missingOfLanguageModel,
  refinedTensors,
  unmergedTensors,
  whyMergedForGood,
  whyUnmergeable,
  type HeadInfo,
} from './peft/merge.js';
export { requireTrained, stackedOn, stackedParameters, whyNotContinued } from './peft/refine.js';
export { anyVerbalizer } from './objectives/verbalizer.js';
export { readerOf } from './runtime/reader.js';
export { nearestWords, type NearWord } from './runtime/nearest.js';
export { openOnnx, type OnnxOutputs } from './runtime/onnx-file.js';
