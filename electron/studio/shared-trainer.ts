/** Trainer processes for runs: one each, or one for several in a row that may share it, so that what it has read and built is there already. */
import { TrainerClient } from './trainer-client.js';
import type { SpawnTrainer } from './trainer-port.js';

/** A process that nobody asks anything for so long is let go. */
const MILLISECONDS_IDLE = 15_000;

export class SharedTrainer {
  readonly #may = new Set<number>();
  #client: TrainerClient | null = null;
  #idle: NodeJS.Timeout | undefined;

  constructor(private readonly spawn: SpawnTrainer) {}

  /** This run takes the shared process when its turn comes. */
  allow(runId: number): void {
    this.#may.add(runId);
  }

  /** Does this run share its process? */
  shares(runId: number): boolean {
    return this.#may.has(runId);
  }

  /** The process that a run is to use. A run that shares none gets one of its own, and the memory of the shared one is freed for it. */
  clientFor(runId: number): TrainerClient {
    clearTimeout(this.#idle);
    if (!this.#may.has(runId)) {
      this.close();
      return new TrainerClient(this.spawn);
    }
    if (this.#client === null || this.#client.ended) this.#client = new TrainerClient(this.spawn);
    return this.#client;
  }

  /** The run is over: its own process ends, the shared one waits a while for the next. */
  giveBack(runId: number, client: TrainerClient): void {
    this.#may.delete(runId);
    if (client !== this.#client) return client.close();
    this.#idle = setTimeout(() => this.close(), MILLISECONDS_IDLE);
    this.#idle.unref();
  }

  /** Ends a process whose job failed. */
  drop(client: TrainerClient): void {
    client.close();
    if (client === this.#client) this.#client = null;
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#client?.close();
    this.#client = null;
  }
}
