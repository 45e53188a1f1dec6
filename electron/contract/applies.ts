/** Which settings of a training play a part for what is chosen: the one table that forms, plans made of them and a run's settings read. */
import type { TextForm } from './entities.js';
import type { Objective } from './objectives.js';
import { trainingSchema, type DeviceChoice, type Training } from './plan.js';

/** What a run, or several of one form, are made of. */
export interface Chosen {
  /** What is learned; several while that is not known yet, none without data. */
  readonly objectives: readonly Objective[];
  /** Of data to write text from; null for other data, or where it is not known. */
  readonly form: TextForm | null;
  /** Has the data validation rows? */
  readonly validated: boolean;
  /** Does every chosen method search for a wording? Then nothing trains. */
  readonly searches: boolean;
  readonly device: DeviceChoice;
}

interface Condition {
  readonly holds: (chosen: Chosen) => boolean;
  /** When it holds, as a sentence. */
  readonly when: string;
}

const learns = (when: string, ...some: readonly Objective[]): Condition => ({
  holds: ({ objectives }) => objectives.some((objective) => some.includes(objective)),
  when,
});

const classes = learns('Only where each text has one label.', 'classification');
const language = learns('Only where a language model is trained.', 'causal-lm', 'masked-lm');
const guesses = learns('Only where masked tokens are guessed.', 'masked-lm');
const marks = learns('Only where answers are marked in a context.', 'question-answering');
const answers: Condition = {
  holds: ({ objectives, form }) => objectives.includes('causal-lm') && form !== 'text',
  when: 'Only where answers to prompts are written.',
};
const trains: Condition = {
  holds: ({ searches }) => !searches,
  when: 'Only where something trains: prompt wording is searched for.',
};
const validates: Condition = {
  holds: ({ validated }) => validated,
  when: 'Only where the data has validation rows.',
};
const onCpu: Condition = {
  holds: ({ device }) => device === 'auto' || device === 'cpu',
  when: 'Only on the CPU.',
};

const trainsOnCpu: Condition = {
  holds: (chosen) => trains.holds(chosen) && onCpu.holds(chosen),
  when: 'Only on the CPU, where something trains.',
};

/** When a setting plays a part; null: always. A new key of the schema does not compile until it stands here. */
export const appliesTable: { readonly [K in keyof Training]: Condition | null } = {
  epochs: null,
  maxSteps: null,
  examplesPerClass: null,
  batchSize: null,
  accumulationSteps: null,
  maxLength: null,
  optimizer: trains,
  learningRate: trains,
  schedule: trains,
  warmupRatio: trains,
  weightDecay: trains,
  gradientClip: trains,
  shuffle: null,
  seed: null,
  modelDropout: trains,
  packWeights: onCpu,
  loadIn8bit: trainsOnCpu,
  gradientCheckpointing: null,
  validateEverySteps: validates,
  earlyStoppingPatience: validates,
  classWeights: classes,
  packing: language,
  completionOnlyLoss: answers,
  mlmProbability: guesses,
  maskReplaceProb: guesses,
  randomReplaceProb: guesses,
  windowStride: marks,
  maxAnswerTokens: marks,
  exactMatchRows: answers,
  checkpointEverySteps: null,
};

/** Steps between validations of a search for a wording, where the plan does not say: each shows what the wording has become. */
export const searchSteps = 10;

const isSetting = (key: string): key is keyof Training => Object.hasOwn(appliesTable, key);

/** Why a setting plays no part for what is chosen, as a sentence; null where it does, or where the key is no setting. */
export function idleBecause(key: string, chosen: Chosen): string | null {
  const condition = isSetting(key) ? appliesTable[key] : null;
  return condition === null || condition.holds(chosen) ? null : condition.when;
}

/** A training in which settings that play no part have the schema's defaults again. */
export function trainingFor(training: Training, chosen: Chosen): Training {
  const usual = Object.entries(trainingSchema.parse({})).filter(([key]) => idleBecause(key, chosen) !== null);
  return { ...training, ...Object.fromEntries(usual) };
}
