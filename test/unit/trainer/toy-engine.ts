/** The engine's door over the toy model: the jobs' own logic in milliseconds. */
import type {
  BaseModelInfo,
  EngineGenerator,
  EngineScorer,
  PredictorOptions,
  StagePlan,
  TrainerOptions,
} from '../../../electron/engine/index.js';
import type { EngineDoor } from '../../../electron/trainer/engine-door.js';
import type { TrainerEvent } from '../../../electron/trainer/protocol.js';
import type { JobContext } from '../../../electron/trainer/server.js';
import { tinyLabels, tinyVocabulary } from '../../helpers/tiny-model.js';
import { ToyTrainer } from './toy-trainer.js';

export class ToyEngine implements EngineDoor {
  readonly built: ToyTrainer[] = [];
  /** Bases read, predictors made with a session, and without one. */
  bases = 0;
  opened = 0;
  switched = 0;
  /** What the method's stages are to be. */
  stages: StagePlan | null = null;
  disposed = 0;

  async openModel(folder: string): Promise<BaseModelInfo> {
    this.bases += 1;
    return {
      folder,
      architecture: 'bert',
      parameters: [],
      totalParameters: 100,
      layers: 2,
      hiddenSize: 32,
      vocabularySize: tinyVocabulary().length,
      maxLength: 64,
      bytes: 1,
      config: {},
    };
  }

  async createTrainer({ initial }: Pick<TrainerOptions, 'initial'>): Promise<ToyTrainer> {
    const trainer = new ToyTrainer({ vocabulary: tinyVocabulary().length, classes: tinyLabels.length, dropout: 0.1 });
    if (initial?.has('weight')) trainer.loadParameters(initial);
    this.built.push(trainer);
    return trainer;
  }

  async createPredictor(options: PredictorOptions): Promise<EngineScorer> {
    this.opened += 1;
    return this.#predictor(options);
  }

  #predictor(options: PredictorOptions): EngineScorer {
    const trainer = new ToyTrainer({
      vocabulary: tinyVocabulary().length,
      classes: tinyLabels.length,
      seed: options.seed,
    });
    if (options.parameters.size > 0) trainer.loadParameters(options.parameters);
    return {
      predict: (batch) => trainer.predict(batch),
      evaluate: (batch) => trainer.evaluate(batch),
      another: async (parameters) => {
        this.switched += 1;
        return this.#predictor({ ...options, parameters });
      },
      dispose: async () => {
        this.disposed += 1;
      },
    };
  }

  createGenerator(): Promise<EngineGenerator> {
    return Promise.reject(new Error('A bag of words writes no text.'));
  }

  learningRateAt(step: number, totalSteps: number, training: { learningRate: number }): number {
    return training.learningRate * (1 - step / totalSteps);
  }

  stagesOf(): StagePlan | null {
    return this.stages;
  }

  describeMethod(): string {
    return 'Bag of words';
  }
}

/** A job's context that keeps its events and may be told to stop. */
export function contextOf(
  control: { pauseWhen?: (event: TrainerEvent) => boolean; cancelWhen?: (event: TrainerEvent) => boolean } = {},
): JobContext & { readonly events: TrainerEvent[] } {
  const events: TrainerEvent[] = [];
  let [pause, cancel] = [false, false];
  return {
    events,
    emit: async (event) => {
      events.push(event);
      pause ||= control.pauseWhen?.(event) ?? false;
      cancel ||= control.cancelWhen?.(event) ?? false;
    },
    breathe: async () => {
      if (cancel) throw Object.assign(new Error('cancelled'), { code: 'cancelled' });
    },
    pauseRequested: () => pause,
    storedEvents: () => 0,
  };
}
