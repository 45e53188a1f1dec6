/** A trainer process as the studio sees it, whoever started it: Electron's utilityProcess in the window, child_process.fork without one. */
export interface TrainerProcess {
  readonly pid: number | undefined;
  /** Messages are plain data (electron/trainer/protocol.ts); sending to a process that has ended does nothing. */
  postMessage(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once, when the process has ended; `code` is null when a signal ended it, `lastWords` what it printed last on stderr. */
  onExit(listener: (code: number | null, lastWords: string) => void): void;
  /** Ends the process at once. */
  kill(): void;
}

export interface SpawnOptions {
  /** Drops what it prints: a test of devices provokes failures that drivers write of at length. */
  readonly quiet?: boolean;
}
export type SpawnTrainer = (options?: SpawnOptions) => TrainerProcess;

/**
 * Of the process's environment. Under Linux's C library a large block that is let go goes back to the system at once: it would keep the
 * room of weights that were read and rounded (loadIn8bit), beside all that the training takes.
 */
export const trainerEnvironment = (): NodeJS.ProcessEnv => ({ MALLOC_MMAP_THRESHOLD_: '1048576', ...process.env });
