/** What the jobs need of the engine. `jobs.ts` hands in the engine itself; tests may hand in a smaller model. */
import type { Training } from '../contract/plan.js';
import type {
  BaseModelInfo,
  EngineGenerator,
  EngineScorer,
  EngineTrainer,
  FrozenPart,
  GeneratorOptions,
  MethodSpec,
  PredictorOptions,
  StagePlan,
  TrainerOptions,
} from '../engine/index.js';

export interface EngineDoor {
  openModel(folder: string): Promise<BaseModelInfo>;
  createTrainer(options: TrainerOptions): Promise<EngineTrainer>;
  /** The layers below all that a training by these options changes or drops; null where there are none. */
  frozenPartOf?(options: TrainerOptions): FrozenPart | null;
  createPredictor(options: PredictorOptions): Promise<EngineScorer>;
  createGenerator(options: GeneratorOptions): Promise<EngineGenerator>;
  /** Rate of the update after `step` done steps. */
  learningRateAt(
    step: number,
    totalSteps: number,
    training: Pick<Training, 'learningRate' | 'schedule' | 'warmupRatio'>,
  ): number;
  /** The stages of a method on a model; null where it trains in one. */
  stagesOf(method: MethodSpec, model: Pick<BaseModelInfo, 'layers'>): StagePlan | null;
  /** Name and setting as tables show them: "LoRA, r 8, query value". */
  describeMethod(method: MethodSpec): string;
}
