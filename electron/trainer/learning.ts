/** What a run learns, as the trainer goes about it: rows to batches, a split to scores. One file an objective. */
import type { Scores } from '../contract/entities.js';
import type { RowBatches, TextTokenizer } from '../data/index.js';
import {
  searchesWording,
  type BaseModelInfo,
  type EngineTrainer,
  type NamedTensors,
  type ObjectiveSpec,
  type WordingDoor,
} from '../engine/index.js';
import { learnClasses } from './classes.js';
import type { EngineDoor } from './engine-door.js';
import { learnLanguage } from './language.js';
import type { SplitRow, TrainerEvent, TrainTask } from './protocol.js';
import { learnWording } from './wording.js';

/** Is called after each batch with the rows done. */
export type Between = (done: number) => Promise<void>;

/** Rows in memory, as token ids. */
export interface Split {
  readonly size: number;
  /** As training takes them. */
  readonly batches: RowBatches;
  /** What the user should know of the rows: some cut, some left out. */
  readonly notes: readonly string[];
  /** Scores of these rows by a trainer's parameters. */
  measure(model: Measured, between: Between): Promise<Scores>;
  /** As the rows of the test: each row's outcome is told by events too. */
  test(tools: TestTools): Promise<Scores>;
}

export type Measured = Pick<EngineTrainer, 'predict' | 'evaluate'>;

/** What the test of a run may use besides its trainer. */
export interface TestTools {
  readonly trainer: Measured;
  /** The split's file. */
  readonly file: string;
  readonly engine: EngineDoor;
  readonly model: BaseModelInfo;
  /** What the run keeps. */
  readonly parameters: NamedTensors;
  readonly between: Between;
  readonly emit: (event: TrainerEvent) => Promise<void>;
}

export interface Learning {
  readonly objective: ObjectiveSpec;
  /** @throws StudioError `bad-data` naming a row that does not fit */
  encode(rows: AsyncIterable<SplitRow> | Iterable<SplitRow>): Promise<Split>;
  /** Of a search for a wording: what the search needs of the tokenizer. */
  readonly door?: WordingDoor;
  /** And the same task with a wording typed in as text. */
  typed?(wording: string): Promise<Learning>;
}

export type LearningTask = Pick<
  TrainTask,
  'objective' | 'training' | 'modelFolder' | 'method' | 'device' | 'threads' | 'data'
>;

/** How the objective of a task is learned. @throws StudioError `bad-model` for a chat template that cannot be read */
export function learningOf(task: LearningTask, tokenizer: TextTokenizer, model: BaseModelInfo): Promise<Learning> {
  const { objective } = task;
  switch (objective.type) {
    case 'classification':
      return searchesWording(task.method)
        ? learnWording(objective, task, tokenizer, model)
        : learnClasses(objective, task.training, tokenizer, model);
    case 'causal-lm':
      return learnLanguage(task, tokenizer);
  }
}
