/** Every call the window or the command can make. One table; both sides validate against it. */
import { z } from 'zod';
import * as e from './entities.js';
import { appCalls } from './calls/app.js';
import { datasetsCalls } from './calls/datasets.js';
import { modelsCalls } from './calls/models.js';
import { projectsCalls } from './calls/projects.js';
import { runsCalls } from './calls/runs.js';
import { studiesCalls } from './calls/studies.js';
import { useCalls } from './calls/use.js';
import { id, type removal } from './calls/call.js';

export const calls = {
  ...appCalls,
  ...projectsCalls,
  ...modelsCalls,
  ...datasetsCalls,
  ...runsCalls,
  ...studiesCalls,
  ...useCalls,
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
  /** A run as it is now, each time it changes and when there is a new one. */
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
  /** Lists of this kind changed: read them again. Of runs only where some went or several changed; one tells itself by `run`. */
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
