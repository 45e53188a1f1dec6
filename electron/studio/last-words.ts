/** What a process printed last: of a native part that gave up, why. */
const MOST_CHARACTERS = 1000;

/** Passes on what a process prints on stderr, and keeps the end of it. */
export class LastWords {
  #tail = '';

  constructor(stderr: NodeJS.ReadableStream | null) {
    stderr?.on('data', (chunk: Buffer) => {
      this.#tail = (this.#tail + chunk.toString()).slice(-MOST_CHARACTERS);
      process.stderr.write(chunk);
    });
  }

  /** The last lines, the oldest of them perhaps cut; '' where nothing was printed. */
  get text(): string {
    return this.#tail.trim();
  }
}
