/** A trainer process and the jobs it works: messages checked, its end noticed. */
import { randomUUID } from 'node:crypto';
import { StudioError } from '../contract/errors.js';
import {
  trainerMessageSchema,
  type HostMessage,
  type JobType,
  type ResultOf,
  type TrainerEvent,
  type TrainerJobInput,
} from '../trainer/protocol.js';
import type { SpawnTrainer, TrainerProcess } from './trainer-port.js';

interface Waiting {
  readonly onEvent: (event: TrainerEvent) => void;
  readonly resolve: (result: ResultOf<JobType>) => void;
  readonly reject: (error: StudioError) => void;
}

export interface RunningJob<T extends JobType> {
  readonly result: Promise<ResultOf<T>>;
  cancel(): void;
  /** Training only. */
  pause(): void;
  /** Training only: so many of the job's metrics events are stored. */
  stored(events: number): void;
}

export class TrainerClient {
  readonly #process: TrainerProcess;
  readonly #waiting = new Map<string, Waiting>();
  #ended = false;

  constructor(spawn: SpawnTrainer) {
    this.#process = spawn();
    this.#process.onMessage((message) => this.#take(message));
    this.#process.onExit((code, lastWords) => this.#end(code, lastWords));
  }

  get ended(): boolean {
    return this.#ended;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  start<T extends JobType>(
    job: Extract<TrainerJobInput, { type: T }>,
    onEvent: (event: TrainerEvent) => void = () => undefined,
  ): RunningJob<T> {
    const id = randomUUID();
    const result = new Promise<ResultOf<T>>((resolve, reject) => {
      if (this.#ended) return reject(lost(null, ''));
      const settle = (answer: ResultOf<JobType>) => {
        if (answer.type === job.type) resolve(answer as ResultOf<T>);
        else reject(new StudioError('internal', `The trainer answered a ${job.type} job with ${answer.type}.`));
      };
      this.#waiting.set(id, { onEvent, resolve: settle, reject });
      this.#send({ kind: 'job', id, job });
    });
    return {
      result,
      cancel: () => this.#send({ kind: 'cancel', id }),
      pause: () => this.#send({ kind: 'pause', id }),
      stored: (events) => this.#send({ kind: 'stored', id, events }),
    };
  }

  /** Ends the process; jobs under way fail as 'trainer-lost'. */
  close(): void {
    if (this.#ended) return;
    this.#send({ kind: 'exit' });
    setTimeout(() => !this.#ended && this.#process.kill(), 2000).unref();
  }

  /** Ends the process at once, for one that does not answer. */
  kill(): void {
    if (!this.#ended) this.#process.kill();
  }

  #send(message: HostMessage): void {
    this.#process.postMessage(message);
  }

  #take(raw: unknown): void {
    const parsed = trainerMessageSchema.safeParse(raw);
    if (!parsed.success || parsed.data.kind === 'ready') return;
    const message = parsed.data;
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if (message.kind === 'event') return waiting.onEvent(message.event);
    this.#waiting.delete(message.id);
    if (message.kind === 'done') waiting.resolve(message.result);
    else waiting.reject(StudioError.fromProblem(message.problem));
  }

  #end(code: number | null, lastWords: string): void {
    this.#ended = true;
    for (const { reject } of this.#waiting.values()) reject(lost(code, lastWords));
    this.#waiting.clear();
  }
}

function lost(code: number | null, lastWords: string): StudioError {
  return new StudioError(
    'trainer-lost',
    code === null
      ? 'The trainer process was ended from outside, perhaps because memory ran out.'
      : `The trainer process ended with code ${code}.`,
    'Resume the run: it goes on from its last checkpoint. If it happens again, use a smaller batch or a shorter maximum length.',
    { code, ...(lastWords === '' ? {} : { lastWords }) },
  );
}
