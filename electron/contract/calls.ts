/** Every call the window or the command can make. One table; both sides validate against it. */
import { z } from 'zod';
import * as e from './entities.js';
import { generationColumnsSchema, templateSourceSchema, tokenizedExampleSchema } from './entities/generation.js';
import { measureSchema } from './measures.js';
import {
  askedPlanSchema,
  changeOf,
  compositionSchema,
  deviceIdSchema,
  matrixSchema,
  methodSchema,
  refineBySchema,
  trainingSchema,
} from './plan.js';
import { pretrainingSchema } from './pretraining.js';
import { studySchema } from './study.js';

const id = z.int().positive();
const none = z.strictObject({});
const done = z.object({ done: z.literal(true) });
const call = <I extends z.ZodType, O extends z.ZodType>(input: I, output: O) => ({ input, output });
/** What a removal takes with it; `blocked` says why it cannot be done now. */
const removal = z.object({
  title: z.string(),
  lines: z.array(z.string()),
  bytes: z.number(),
  blocked: z.string().optional(),
});
const job = z.object({ jobId: z.string() });
/** `head`: the run or folder whose head is taken; null: the mean of all heads, of a stack the last one's, of a sum the first one's. */
const compositionRequest = z.strictObject({
  projectId: id,
  kind: compositionSchema.shape.kind,
  how: compositionSchema.shape.how,
  parts: z
    .array(z.strictObject({ from: z.union([id, z.string().min(1)]), weight: z.number().min(-100).max(100).default(1) }))
    .min(1)
    .max(16),
  head: z
    .union([id, z.string().min(1)])
    .nullable()
    .default(null),
  /** An adapter that trains on top of a stack. */
  top: z.looseObject({ type: z.string() }).nullable().default(null),
  /** Name of the data set; null for the one of the run whose head is taken. */
  data: z.string().nullable().default(null),
  /** Changes of the training; a composition that is whole takes no steps unless `maxSteps` or `epochs` says so. */
  training: changeOf(trainingSchema).default({}),
});

/** A run by its plan, or a plan. */
const furtherSource = z.union([z.strictObject({ runId: id }), z.strictObject({ plan: askedPlanSchema })]);

export const calls = {
  'app.info': call(
    none,
    z.object({
      version: z.string(),
      home: z.string(),
      platform: z.string(),
      threads: z.number(),
      memoryBytes: z.number(),
      freeMemoryBytes: z.number(),
      diskFreeBytes: z.number(),
      usedBytes: z.number(),
      runtimeVersions: z.record(z.string(), z.string()),
      /** Licence texts of everything in an installed app; null in a checkout. */
      licencesFolder: z.string().nullable(),
      /** A notice to show once at start: a database kept aside, runs found interrupted. */
      notices: z.array(z.object({ severity: z.enum(['info', 'warn', 'bad']), text: z.string() })),
    }),
  ),
  /** The diagnostic report as Markdown, with no names, texts and paths of the user's; and the folder of the log. */
  'app.diagnose': call(none, z.object({ text: z.string(), logFolder: z.string() })),
  'settings.get': call(none, e.settingsSchema),
  'settings.set': call(changeOf(e.settingsSchema), e.settingsSchema),

  /** Newer versions of the app. Each is refused with the reason where this copy does not update itself, and while a run is going. */
  'updates.get': call(none, e.updateSchema),
  'updates.check': call(none, e.updateSchema),
  'updates.download': call(none, e.updateSchema),
  /** Ends the app, exchanges it and starts the new version. */
  'updates.install': call(none, done),

  'projects.list': call(z.strictObject({ archived: z.boolean().default(false) }), z.array(e.projectSchema)),
  'projects.get': call(z.strictObject({ id }), e.projectSchema),
  /** A project by its name, archived or not, without the sizes and scores that a list shows. */
  'projects.find': call(z.strictObject({ name: z.string() }), z.object({ id }).nullable()),
  'projects.create': call(
    z.strictObject({ name: z.string().min(1).max(200), description: z.string().max(2000).default('') }),
    e.projectSchema,
  ),
  /** Project on bundled sample data, ready to train; without a name the first sample's, on the starter model. */
  'projects.createSample': call(z.strictObject({ sample: z.string().nullable().default(null) }), e.projectSchema),
  'samples.list': call(none, z.array(e.sampleSchema)),
  /** Brings a sample into a project as a data set of its name. */
  'samples.import': call(z.strictObject({ projectId: id, sample: z.string() }), done),
  'projects.update': call(
    z.strictObject({
      id,
      name: z.string().min(1).max(200).optional(),
      description: z.string().max(2000).optional(),
      archived: z.boolean().optional(),
    }),
    e.projectSchema,
  ),
  'projects.duplicate': call(z.strictObject({ id, name: z.string().min(1).max(200) }), e.projectSchema),
  /** What would go: shown before `projects.remove`. */
  'projects.removal': call(z.strictObject({ id }), removal),
  'projects.remove': call(z.strictObject({ id }), done),
  'projects.export': call(z.strictObject({ id, path: z.string() }), job),
  'projects.import': call(z.strictObject({ path: z.string() }), job),

  'models.list': call(none, z.array(e.baseModelSchema)),
  'models.inspect': call(
    z.strictObject({ folder: z.string() }),
    e.baseModelSchema.omit({ id: true, addedAt: true, builtIn: true }),
  ),
  'models.add': call(
    z.strictObject({ folder: z.string(), name: z.string().min(1).max(200).optional() }),
    e.baseModelSchema,
  ),
  /**
   * Makes a new encoder from text files in a new or empty folder and adds it; the job's result is a `Pretrained` with the base model. Cut
   * off, it goes on where it was when it is asked for again.
   */
  'models.pretrain': call(
    z.strictObject({
      texts: z.array(z.string()).min(1).max(10_000),
      folder: z.string(),
      name: z.string().min(1).max(200).optional(),
      settings: pretrainingSchema.prefault({}),
    }),
    job,
  ),
  'models.remove': call(z.strictObject({ id }), done),
  /** Every parameter tensor of the base with the method's additions, for counts before training. */
  'models.count': call(
    z.strictObject({
      modelId: id,
      datasetId: id.nullable(),
      method: z.looseObject({ type: z.string() }),
      /** Answers by label words instead of a head. */
      verbalizer: z.boolean().default(false),
      /** Of a further round on this run. */
      refines: id.nullable().default(null),
    }),
    z.object({
      trainable: z.number(),
      total: z.number(),
      head: z.number(),
      groups: z.array(z.object({ name: z.string(), frozen: z.number(), trainable: z.number() })),
      /** Of a method that trains in stages. */
      stages: z.array(z.object({ trains: z.string(), trainable: z.number() })),
    }),
  ),

  /** Every module of the base with the method's additions, from the bottom of the model to its top. */
  'models.map': call(
    z.strictObject({
      modelId: id,
      datasetId: id.nullable(),
      method: z.looseObject({ type: z.string() }),
      verbalizer: z.boolean().default(false),
      /** One of its stages, from 0; null for what any of them trains. */
      stage: z.int().min(0).nullable().default(null),
      refines: id.nullable().default(null),
    }),
    z.array(e.mapGroupSchema),
  ),

  /** Opens the system's dialog; the answer's path is granted to this window until it closes. */
  'files.choose': call(
    z.strictObject({
      kind: z.enum(['data', 'model-folder', 'folder', 'save', 'project-file', 'plan-file']),
      suggestedName: z.string().optional(),
    }),
    z.object({ path: z.string().nullable() }),
  ),
  'files.show': call(z.strictObject({ path: z.string() }), done),

  'datasets.list': call(z.strictObject({ projectId: id }), z.array(e.datasetSchema)),
  'datasets.get': call(z.strictObject({ id }), e.datasetSchema),
  'datasets.inspect': call(
    z.strictObject({ path: z.string(), reading: e.readingOptionsSchema.default({}) }),
    e.filePreviewSchema,
  ),
  'datasets.import': call(e.importRequestSchema, job),
  /**
   * Rows of a file or of a data set as they will be trained on by a base model; without one by the studio's plain template, and
   * nothing is cut.
   */
  'datasets.tokens': call(
    z.strictObject({
      source: z.union([
        z.strictObject({
          path: z.string(),
          reading: e.readingOptionsSchema.default({}),
          columns: generationColumnsSchema,
        }),
        z.strictObject({ datasetId: id }),
      ]),
      modelId: id.nullable().default(null),
      maxLength: z.int().min(4).max(8192),
      completionOnlyLoss: z.boolean().default(true),
      limit: z.int().min(1).max(50).default(8),
    }),
    z.object({ template: templateSourceSchema, examples: z.array(tokenizedExampleSchema) }),
  ),
  'datasets.rows': call(
    z.strictObject({
      id,
      offset: z.int().min(0),
      limit: z.int().min(1).max(500),
      split: e.splitNameSchema.optional(),
      label: z.string().optional(),
      /** Of rows with several labels: those that have it. */
      amongLabels: z.string().optional(),
      /** Of tagged words: rows with an entity of this type. */
      entity: z.string().optional(),
      search: z.string().max(500).optional(),
      /** How many fit, as another page told: they are not counted again, for which a search looks at every row. */
      total: z.int().min(0).optional(),
    }),
    z.object({ total: z.number(), rows: z.array(e.datasetRowSchema) }),
  ),
  'datasets.profile': call(z.strictObject({ id, modelId: id.nullable().default(null) }), e.profileSchema),
  'datasets.removal': call(z.strictObject({ id }), removal),
  'datasets.remove': call(z.strictObject({ id }), done),

  'methods.list': call(none, z.array(e.methodInfoSchema)),

  'runs.list': call(z.strictObject({ projectId: id.nullable().default(null) }), z.array(e.runSchema)),
  'runs.get': call(z.strictObject({ id }), e.runSchema),
  /**
   * `points`: at most so many steps and so many validations, as many as a chart can show; neighbouring steps become one, of validations
   * every so-and-so-many stands, the last and the last best among them. Left out: all of them.
   */
  'runs.history': call(
    z.strictObject({ id, afterStep: z.int().min(0).default(0), points: z.int().min(1).max(20_000).optional() }),
    e.runHistorySchema,
  ),
  /** Validations alone, thinned in the same way. */
  'runs.validations': call(
    z.strictObject({ id, points: z.int().min(1).max(20_000) }),
    z.array(e.validationMetricSchema),
  ),
  /** The words nearest to each virtual token of a finished run, the nearest first; null where its method has no soft prompt. */
  'runs.virtualWords': call(
    z.strictObject({ id, count: z.int().min(1).max(50).default(5) }),
    z.object({ tokens: z.array(z.array(e.nearWordSchema)).nullable() }),
  ),
  /** Validation scores of a text in the place of a finished search's wording; the test split is not read. */
  'runs.scoreWording': call(
    z.strictObject({ id, wording: z.string().trim().min(1).max(4000) }),
    z.object({ scores: e.scoresSchema, rows: z.number(), tokens: z.number() }),
  ),
  /** A measured probe: a few real steps at the longest batch in a process of its own. */
  'runs.estimate': call(z.strictObject({ projectId: id, plan: askedPlanSchema }), e.estimateSchema),
  /** `initFolder`: an exported adapter or merged folder whose values the runs start from. */
  'runs.start': call(
    z.strictObject({
      projectId: id,
      plans: z.array(askedPlanSchema).min(1).max(200),
      initFolder: z.string().nullable().default(null),
    }),
    z.array(e.runSchema),
  ),
  'runs.startMatrix': call(z.strictObject({ projectId: id, matrix: matrixSchema }), z.array(e.runSchema)),
  'runs.pause': call(z.strictObject({ id }), e.runSchema),
  /** `device`: where it goes on from its last checkpoint, once and for all; left out, on the device that it was on. */
  'runs.resume': call(z.strictObject({ id, device: deviceIdSchema.optional() }), e.runSchema),
  'runs.cancel': call(z.strictObject({ id }), e.runSchema),
  'runs.removal': call(z.strictObject({ id }), removal),
  'runs.remove': call(z.strictObject({ id }), done),

  /** What a composition of finished runs would be, or why it cannot be; nothing is computed. */
  'compositions.check': call(
    compositionRequest,
    z.object({
      possible: z.boolean(),
      /** Why not, and what helps. */
      reason: z.string().nullable(),
      hint: z.string().nullable(),
      /** Name and setting as tables show them. */
      methodName: z.string(),
      setting: z.string(),
      /** The data set that it answers for. */
      datasetName: z.string().nullable(),
      /** Numbers of the adapter and its head. */
      parameters: z.number(),
      /** Does something have to train before it can answer? */
      trains: z.boolean(),
    }),
  ),
  /** Makes a run of a composition: measured on validation, then read once on test, like any other. */
  'compositions.start': call(compositionRequest, e.runSchema),

  /** How a run would be gone on from by a method, or why it cannot be; nothing is computed. */
  'refinements.check': call(
    z.strictObject({
      id,
      method: methodSchema,
      /** Null for the data set of the run. */
      datasetId: id.nullable().default(null),
      verbalizer: z.boolean().default(false),
      by: refineBySchema.nullable().default(null),
    }),
    z.object({
      /** Null where it cannot. */
      how: refineBySchema.nullable(),
      reason: z.string().nullable(),
      hint: z.string().nullable(),
    }),
  ),
  /** All runs that go on from one another with this one among them, the first first, and what each brought. */
  'refinements.lineage': call(z.strictObject({ id }), z.array(e.roundSchema)),

  'compare.runs': call(
    z.strictObject({
      projectId: id,
      datasetId: id,
      modelId: id,
      runIds: z.array(id).nullable().default(null),
      /** Null for what the data set's task is measured by first: the first of its objective. */
      measure: measureSchema.nullable().default(null),
      zone: z.number().positive().max(50).default(1),
    }),
    e.comparisonSchema,
  ),

  'studies.kinds': call(none, z.array(e.studyKindInfoSchema)),
  'studies.list': call(z.strictObject({ projectId: id }), z.array(e.studyRowSchema)),
  'studies.get': call(z.strictObject({ id }), e.studyRowSchema),
  /** The whole study with its defaults, and what it would run; refuses what cannot be run, naming the key. */
  'studies.check': call(z.strictObject({ projectId: id, study: studySchema }), e.studyOutlineSchema),
  /** `goOn`: the newest study of this very plan in the project goes on, or is given back where it is finished, instead of a new one. */
  'studies.start': call(
    z.strictObject({ projectId: id, study: studySchema, goOn: z.boolean().default(false) }),
    e.studyRowSchema,
  ),
  /** The run under way writes a checkpoint and stops. */
  'studies.pause': call(z.strictObject({ id }), e.studyRowSchema),
  'studies.resume': call(z.strictObject({ id }), e.studyRowSchema),
  'studies.cancel': call(z.strictObject({ id }), e.studyRowSchema),
  'studies.rename': call(z.strictObject({ id, name: z.string().min(1).max(200) }), e.studyRowSchema),
  'studies.removal': call(z.strictObject({ id, runs: z.boolean().default(false) }), removal),
  /** `runs`: with the runs it made; else these stay in the project as runs of their own. */
  'studies.remove': call(z.strictObject({ id, runs: z.boolean().default(false) }), done),
  /** The same plan again, from the start, as another study. */
  'studies.repeat': call(z.strictObject({ id }), e.studyRowSchema),
  'studies.runs': call(z.strictObject({ id }), z.array(e.studyRunSchema)),
  /** The report, or while the study is not finished what its finished runs say so far (`whole` false). */
  'studies.report': call(z.strictObject({ id }), z.object({ whole: z.boolean(), report: e.reportSchema })),
  /** Writes it to a file of that format; the job's result names the file and says whether the study was finished. */
  'studies.exportReport': call(z.strictObject({ id, format: e.reportFormatSchema, path: z.string().min(1) }), job),
  /** What to ship under limits, by the finished studies of the project. */
  'advice.ask': call(e.adviceRequestSchema.extend({ projectId: id }), e.adviceSchema),

  /** `untrained` adds the base with a fresh head; `keep` false lets models that were not open go again. */
  'playground.predict': call(
    z.strictObject({
      runIds: z.array(id).max(12),
      text: z.string().min(1).max(100_000),
      pair: z.string().max(100_000).nullable().default(null),
      untrained: z.boolean().default(false),
      keep: z.boolean().optional(),
    }),
    z.array(e.predictionSchema),
  ),
  /** Answers go to the CSV `out`, with `report` also as `answers` events. */
  'playground.predictFile': call(
    z.strictObject({
      runId: id,
      path: z.string(),
      textColumn: z.string(),
      pairColumn: z.string().nullable().default(null),
      out: z.string().nullable(),
      report: z.boolean().default(false),
    }),
    job,
  ),

  /**
   * Lets models write, token by token in turns; what they write comes as `pieces` events. The job's result is a list of answers, one
   * a speaker; cancelling it keeps what was written.
   */
  'chat.generate': call(
    z.strictObject({ speakers: z.array(e.speakerSchema).min(1).max(8), sampling: e.samplingSchema.prefault({}) }),
    job,
  ),

  /** Merges a run into its base and takes it out again, in a folder of its own that goes; the job's result is a `MergeCheck`. */
  'runs.checkMerge': call(z.strictObject({ id }), job),
  /** The formats of a run's method, and why one is not possible with its options. */
  'exports.formats': call(
    z.strictObject({ runId: id }),
    z.array(z.object({ format: e.exportFormatSchema, reason: z.string().nullable() })),
  ),
  'exports.start': call(z.strictObject({ runId: id, format: e.exportFormatSchema, folder: z.string() }), job),
  'exports.list': call(z.strictObject({ projectId: id }), z.array(e.artefactSchema)),

  /** Why a run's plan, or a plan, cannot go to transformers, peft and accelerate; null: it can. */
  'further.check': call(
    z.strictObject({ projectId: id, from: furtherSource }),
    z.object({ reason: z.string().nullable() }),
  ),
  /** Writes a plan as a project of Python into a new or empty folder, with its data and, unless it is left out, the base model. */
  'further.write': call(
    z.strictObject({ projectId: id, from: furtherSource, folder: z.string(), model: z.boolean().default(true) }),
    job,
  ),
  /** Takes the result of such a project back as a finished run; the job's result is `{ runId }`. */
  'further.back': call(z.strictObject({ projectId: id, folder: z.string() }), job),

  /** What a file that the command takes asks for; null for one that is no plan and no study. */
  'plans.read': call(
    z.strictObject({ path: z.string() }),
    z.object({
      asked: z
        .discriminatedUnion('kind', [
          z.object({ kind: z.literal('plan'), plan: askedPlanSchema }),
          z.object({ kind: z.literal('matrix'), matrix: matrixSchema }),
          z.object({ kind: z.literal('study'), study: studySchema }),
        ])
        .nullable(),
    }),
  ),

  'devices.list': call(none, z.array(e.deviceReportSchema)),
  'devices.test': call(none, z.array(e.deviceReportSchema)),
  'jobs.list': call(none, z.array(e.jobSchema)),
  'jobs.cancel': call(z.strictObject({ jobId: z.string() }), done),
  /** Writes a chart or table that the window drew to a path the user chose. */
  'files.write': call(
    z.strictObject({
      path: z.string(),
      text: z.string().max(50_000_000).optional(),
      base64: z.string().max(100_000_000).optional(),
    }),
    done,
  ),
} as const;

export type Removal = z.output<typeof removal>;
export type CallName = keyof typeof calls;
export type CallInput<N extends CallName> = z.input<(typeof calls)[N]['input']>;
export type CallRequest<N extends CallName> = z.output<(typeof calls)[N]['input']>;
export type CallOutput<N extends CallName> = z.output<(typeof calls)[N]['output']>;
/** What the studio implements: one handler a call. */
export type Handlers = { [N in CallName]: (request: CallRequest<N>) => Promise<CallOutput<N>> };

/** What the studio tells by itself; `runs` and `metrics` come at most about ten times a second. */
export const events = {
  run: e.runSchema,
  metrics: z.object({
    runId: id,
    steps: z.array(e.stepMetricSchema),
    validations: z.array(e.validationMetricSchema),
    stages: z.array(e.stageMetricSchema),
    log: z.array(e.logLineSchema),
  }),
  /** State or progress of a study changed. */
  study: e.studyRowSchema,
  job: e.jobSchema,
  /** A file's rows as they are answered, where `playground.predictFile` asked for them. */
  answers: z.object({ jobId: z.string(), rows: z.array(e.answerSchema) }),
  /** What models write, at most about sixteen times a second. */
  pieces: z.object({ jobId: z.string(), pieces: z.array(e.pieceSchema) }),
  /** Files and folders that the user dropped on the window; the window may use them from then on. `result`: a folder holds one of a plan that was taken to peft. */
  dropped: z.object({
    items: z
      .array(z.object({ path: z.string(), kind: z.enum(['file', 'folder']), result: z.literal(true).optional() }))
      .min(1),
  }),
  /** A project file that the system asked the app to open; the window may use it from then on. */
  opened: z.object({ path: z.string() }),
  /** The user followed a notification: the page goes there. */
  followed: z.object({ route: z.string().startsWith('#/') }),
  update: e.updateSchema,
  /** Lists of this kind changed: read them again. */
  changed: z.object({
    kind: z.enum(['projects', 'models', 'datasets', 'runs', 'studies', 'exports', 'devices', 'settings']),
    projectId: id.nullable(),
  }),
} as const;
export type EventName = keyof typeof events;
export type EventData<N extends EventName> = z.output<(typeof events)[N]>;
export type StudioEvent = { [N in EventName]: { event: N; data: EventData<N> } }[EventName];

/** What the preload puts on `window.studio`. Failures come back as a Problem, never as a thrown foreign error. */
export interface Bridge {
  call<N extends CallName>(
    name: N,
    input: CallInput<N>,
  ): Promise<{ ok: true; value: CallOutput<N> } | { ok: false; problem: import('./errors.js').Problem }>;
  /** Listens to one kind of event; returns the function that stops listening. */
  on<N extends EventName>(name: N, listener: (data: EventData<N>) => void): () => void;
}
