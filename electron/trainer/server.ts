/** Takes jobs from the port one after another, lets cancel and pause reach them, and sends results as messages. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { StudioError } from '../contract/errors.js';
import type { Port } from './port.js';
import { cancelled, toProblem } from './problems.js';
import {
  hostMessageSchema,
  protocolVersion,
  trainerMessageSchema,
  type JobOf,
  type JobType,
  type ResultOf,
  type TrainerEvent,
  type TrainerJob,
  type TrainerMessage,
} from './protocol.js';

/** What a job may use while it runs. */
export interface JobContext {
  /** Sends an event; a host that is gone ends the process, so nothing is to be caught. */
  emit(event: TrainerEvent): Promise<void>;
  /**
   * Lets waiting messages in. The runtime's work is synchronous, so without this neither cancel nor pause is heard.
   * @throws StudioError `cancelled` if the job was cancelled.
   */
  breathe(): Promise<void>;
  /** True once the studio asked to pause. */
  pauseRequested(): boolean;
  /** How many of the job's metrics events the studio has stored so far. */
  storedEvents(): number;
}

export type JobHandlers = { readonly [T in JobType]: (job: JobOf<T>, context: JobContext) => Promise<ResultOf<T>> };

/**
 * Serves jobs until the host goes or says `exit`; `leave` then ends the process.
 * Messages that do not fit the protocol are answered with a failure where they name a job, and dropped otherwise.
 */
export async function serve(port: Port, handlers: JobHandlers, leave: (code: number) => void): Promise<void> {
  const waiting: { id: string; job: TrainerJob }[] = [];
  const cancelledIds = new Set<string>();
  const pausedIds = new Set<string>();
  const stored = new Map<string, number>();
  let current: string | null = null;
  const known = (id: string) => current === id || waiting.some((entry) => entry.id === id);

  const send = async (message: TrainerMessage) => {
    try {
      await port.send(trainerMessageSchema.parse(message));
    } catch (error) {
      // A channel that is closed means the host is gone: an orphan must not go on training.
      if (
        error instanceof Error &&
        'code' in error &&
        (error.code === 'ERR_IPC_CHANNEL_CLOSED' || error.code === 'EPIPE')
      )
        leave(1);
      else throw error;
    }
  };

  const contextOf = (id: string): JobContext => ({
    emit: (event) => send({ kind: 'event', id, event }),
    breathe: async () => {
      await nextTurn();
      if (cancelledIds.has(id)) throw cancelled();
    },
    pauseRequested: () => pausedIds.has(id),
    storedEvents: () => stored.get(id) ?? 0,
  });

  const work = async () => {
    if (current !== null) return;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { id, job } = next;
      current = id;
      try {
        if (cancelledIds.has(id)) throw cancelled();
        await send({ kind: 'done', id, result: await run(handlers, job, contextOf(id)) });
      } catch (error) {
        await send({ kind: 'failed', id, problem: toProblem(error) });
      }
      cancelledIds.delete(id);
      pausedIds.delete(id);
      stored.delete(id);
    }
    current = null;
  };

  port.onClose(() => leave(1));
  port.onMessage((raw) => {
    const parsed = hostMessageSchema.safeParse(raw);
    if (!parsed.success) {
      const id = typeof raw === 'object' && raw !== null && 'id' in raw && typeof raw.id === 'string' ? raw.id : null;
      const issue = parsed.error.issues[0];
      if (id !== null)
        void send({
          kind: 'failed',
          id,
          problem: new StudioError(
            'bad-input',
            `The trainer does not understand its job: ${issue?.path.join('.')}: ${issue?.message}`,
          ).toProblem(),
        });
      return;
    }
    const message = parsed.data;
    switch (message.kind) {
      case 'job':
        waiting.push({ id: message.id, job: message.job });
        void work();
        break;
      case 'cancel':
        if (known(message.id)) cancelledIds.add(message.id);
        break;
      case 'pause':
        if (known(message.id)) pausedIds.add(message.id);
        break;
      case 'stored':
        if (known(message.id)) stored.set(message.id, message.events);
        break;
      case 'exit':
        leave(0);
        break;
    }
  });
  await send({ kind: 'ready', version: protocolVersion, pid: process.pid });
}

/** One arm a job type, so that each handler gets its own job and nothing is cast. */
function run(handlers: JobHandlers, job: TrainerJob, context: JobContext): Promise<TrainerResult> {
  switch (job.type) {
    case 'train':
      return handlers.train(job, context);
    case 'test':
      return handlers.test(job, context);
    case 'probe':
      return handlers.probe(job, context);
    case 'predict':
      return handlers.predict(job, context);
    case 'predict-file':
      return handlers['predict-file'](job, context);
    case 'prove-export':
      return handlers['prove-export'](job, context);
    case 'generate':
      return handlers.generate(job, context);
    case 'score-wording':
      return handlers['score-wording'](job, context);
    case 'merge-check':
      return handlers['merge-check'](job, context);
    case 'serve-together':
      return handlers['serve-together'](job, context);
    case 'profile':
      return handlers.profile(job, context);
    case 'virtual-words':
      return handlers['virtual-words'](job, context);
    case 'pretrain':
      return handlers.pretrain(job, context);
    case 'device-test':
      return handlers['device-test'](job, context);
  }
}
type TrainerResult = ResultOf<JobType>;
