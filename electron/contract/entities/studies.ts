/** Studies and their reports. A report is tables, figures and sentences that no longer need to know the study's kind. */
import { z } from 'zod';
import { problemSchema } from '../errors.js';
import { studyKindSchema, studySchema } from '../study.js';
import { count, id, interval, nullable } from './common.js';
import { runStates } from './runs.js';

/** A number, in the unit of its column; with an interval where it has one. */
const measuredSchema = z.object({ mean: z.number(), interval: nullable(interval) });

/** How a number is written: points of percent and percent as they are, a share of 0 to 1 as percent, bytes, seconds, a plain number. */
export const unitSchema = z.enum(['points', 'share', 'percent', 'bytes', 'seconds', 'count', 'number', 'nats']);
export type Unit = z.infer<typeof unitSchema>;

export const reportTableSchema = z.object({
  id: z.string(),
  title: z.string(),
  columns: z.array(z.object({ key: z.string(), title: z.string(), unit: nullable(unitSchema) })),
  /** By column key; null where there is nothing to tell. `method` keys the marker, `runs` the evidence. */
  rows: z.array(
    z.object({
      method: nullable(z.string()),
      runs: z.array(id),
      cells: z.record(z.string(), z.union([z.string(), z.number(), measuredSchema, z.null()])),
    }),
  ),
  note: z.string(),
});
export type ReportTable = z.infer<typeof reportTableSchema>;

const axis = z.object({ title: z.string(), unit: unitSchema, log: z.boolean().default(false) });
/** `type` is the method's, for marker and colour; null for what is no method. */
const named = { label: z.string(), type: nullable(z.string()) };
export const reportFigureSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('forest'),
    id: z.string(),
    title: z.string(),
    /** Differences from the baseline; 0 is equal, and `zone` counts as equal. */
    axis,
    zone: nullable(z.number()),
    rows: z.array(z.object({ ...named, mean: z.number(), interval: nullable(interval) })),
  }),
  z.object({
    kind: z.literal('pareto'),
    id: z.string(),
    title: z.string(),
    x: axis,
    y: axis,
    points: z.array(z.object({ ...named, x: z.number(), y: z.number(), interval: nullable(interval) })),
  }),
  z.object({
    kind: z.literal('curves'),
    id: z.string(),
    title: z.string(),
    x: axis,
    y: axis,
    /** Names of the places on the x axis where they are no numbers: "before", "after banking77". */
    places: nullable(z.array(z.string())),
    series: z.array(
      z.object({
        ...named,
        points: z.array(z.object({ x: z.number(), mean: z.number(), interval: nullable(interval) })),
      }),
    ),
  }),
  z.object({
    kind: z.literal('heat-map'),
    id: z.string(),
    title: z.string(),
    unit: unitSchema,
    /** Above this is a gain, below a loss; null for plain scores. */
    middle: nullable(z.number()),
    columns: z.array(z.string()),
    rows: z.array(z.object({ ...named, values: z.array(nullable(z.number())) })),
  }),
]);
export type ReportFigure = z.infer<typeof reportFigureSchema>;

export const reportSchema = z.object({
  kind: studyKindSchema,
  title: z.string(),
  question: z.string(),
  /** How it was measured, one sentence each: budgets, choice of rates, splits, statistics. */
  protocol: z.array(z.string()),
  /** What the intervals allow to be said, and the runs that it rests on. */
  verdicts: z.array(
    z.object({
      kind: z.enum(['for-peft', 'against-peft', 'equal', 'undecided', 'note']),
      text: z.string(),
      runs: z.array(id),
    }),
  ),
  tables: z.array(reportTableSchema),
  figures: z.array(reportFigureSchema),
  /** What the reader should know: runs that failed, other rows, one seed only. */
  notes: z.array(z.string()),
  /** Enough to repeat it: `study` alone, given to the command, makes the same runs. */
  provenance: z.object({
    study: studySchema,
    versions: z.record(z.string(), z.string()),
    machine: z.object({
      platform: z.string(),
      processor: z.string(),
      threads: count,
      memoryBytes: count,
      device: z.string(),
    }),
    model: z.object({ name: z.string(), contentHash: nullable(z.string()) }),
    data: z.array(
      z.object({
        name: z.string(),
        contentHash: z.string(),
        rows: z.object({ train: count, validation: count, test: count }),
      }),
    ),
    runs: z.array(
      z.object({
        id,
        role: z.string(),
        methodName: z.string(),
        setting: z.string(),
        seed: z.number(),
        learningRate: z.number(),
        data: z.string(),
        dataHash: z.string(),
        device: nullable(z.string()),
      }),
    ),
    startedAt: z.string(),
    endedAt: z.string(),
  }),
});
export type Report = z.infer<typeof reportSchema>;

export const studyStates = ['running', 'paused', 'interrupted', 'finished', 'cancelled', 'failed'] as const;
export const studyRowSchema = z.object({
  id,
  projectId: id,
  kind: studyKindSchema,
  name: z.string(),
  plan: studySchema,
  state: z.enum(studyStates),
  /** Runs that have ended and all that are planned; it grows where a choice decides what comes next. */
  progress: z.object({ done: count, total: count, secondsLeft: nullable(count), doing: z.string() }),
  createdAt: z.string(),
  endedAt: nullable(z.string()),
  problem: nullable(problemSchema),
});
export type Study = z.infer<typeof studyRowSchema>;

/** What a kind of study asks, as lists and forms name it. */
export const studyKindInfoSchema = z.object({
  kind: studyKindSchema,
  title: z.string(),
  /** The question in one sentence. */
  question: z.string(),
  /** Fewest data sets it takes. */
  leastData: count,
});
export type StudyKindInfo = z.infer<typeof studyKindInfoSchema>;

/** One run of a study: done, under way, or to come. */
export const studyRunSchema = z.object({
  /** Null until it is made. */
  runId: nullable(id),
  state: z.enum([...runStates, 'planned']),
  /** "choice": trained to choose a learning rate on validation; "final": the test is read. A chosen run becomes final. */
  role: z.string(),
  methodName: z.string(),
  setting: z.string(),
  data: z.string(),
  seed: z.number(),
  examplesPerClass: nullable(count),
  /** Null while it hangs on a choice. */
  learningRate: nullable(z.number()),
});
export type StudyRun = z.infer<typeof studyRunSchema>;

/** What a study would do, before it is started. */
export const studyOutlineSchema = z.object({
  study: studySchema,
  name: z.string(),
  question: z.string(),
  /** Every run, those that hang on a choice included. */
  runs: count,
  /** Runs in words: "3 learning rates × 4 methods on seed 1, …". */
  protocol: z.array(z.string()),
  methods: z.array(
    z.object({ type: z.string(), methodName: z.string(), setting: z.string(), learningRates: z.array(z.number()) }),
  ),
  notes: z.array(z.string()),
});
export type StudyOutline = z.infer<typeof studyOutlineSchema>;

export const reportFormatSchema = z.enum(['html', 'pdf', 'csv', 'json']);
export type ReportFormat = z.infer<typeof reportFormatSchema>;
