/** What a run learns, as the trainer goes about it: rows to batches, a split to scores. One file an objective in learnings/, all of this shape. */
import type { Scores } from '../contract/entities.js';
import type { RowBatches, Spread, TextTokenizer } from '../data/index.js';
import type { BaseModelInfo, EngineTrainer, NamedTensors, ObjectiveSpec, WordingDoor } from '../engine/index.js';
import type { EngineDoor } from './engine-door.js';
import type { LearnedObjective } from '../contract/learned.js';
import type { SplitRow, TrainerEvent, TrainTask } from './protocol.js';

/** Which part of a pass is told about, where it has several. */
export interface PassPart {
  readonly part?: 'rows' | 'answers';
  /** Rows or answers of this part; left out: all rows. */
  readonly of?: number;
  /** Answers that are given when the rows are read. */
  readonly answersAhead?: number;
}

/** Is called after each batch with the rows done, and after each answer with the answers given. */
export type Between = (done: number, part?: PassPart) => Promise<void>;

/** Rows in memory, as token ids. */
export interface Split {
  readonly size: number;
  /** Rows of the data, where one may take several here (windows of a long context). */
  readonly rows?: number;
  /** As training takes them. */
  readonly batches: RowBatches;
  /** What the user should know of the rows: some cut, some left out. */
  readonly notes: readonly string[];
  /** Of rows that ask for a number: training rows so spread are learned as standard scores. */
  readonly spread?: Spread;
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
  /** A line of the log, where there is one. */
  log?(message: string): void;
}

export interface Learning {
  readonly objective: ObjectiveSpec;
  /** What the user should know of the base model under this objective. */
  readonly notes?: readonly string[];
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

/** How a task is learned. @throws StudioError where objective, data and base model do not fit */
export type Learn<S extends LearnedObjective> = (
  objective: S,
  task: LearningTask,
  tokenizer: TextTokenizer,
  model: BaseModelInfo,
) => Promise<Learning>;
