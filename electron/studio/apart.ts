/** A job in a trainer process of its own, which ends with it: its memory is its own, and what takes the process down takes nothing else along. */
import type { JobType, ResultOf, TrainerEvent, TrainerJobInput } from '../trainer/protocol.js';
import type { Context } from './context.js';
import { TrainerClient } from './trainer-client.js';

export interface Apart {
  /** Asks the job to stop. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TrainerEvent) => void;
  /** It keeps nothing, so that its process is ended instead of asked. */
  readonly atOnce?: boolean;
}

/** @throws StudioError of the job; 'cancelled' when the signal says so, `atOnce` 'trainer-lost' */
export async function workApart<T extends JobType>(
  { spawnTrainer }: Pick<Context, 'spawnTrainer'>,
  job: Extract<TrainerJobInput, { type: T }>,
  { signal, onEvent, atOnce = false }: Apart = {},
): Promise<ResultOf<T>> {
  const client = new TrainerClient(spawnTrainer);
  const running = client.start<T>(job, onEvent);
  const stop = () => (atOnce ? client.close() : running.cancel());
  signal?.addEventListener('abort', stop);
  try {
    if (signal?.aborted) stop();
    return await running.result;
  } finally {
    signal?.removeEventListener('abort', stop);
    client.close();
  }
}
