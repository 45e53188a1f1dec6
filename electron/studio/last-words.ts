/** What a process printed last: of a native part that gave up, why. */
const MOST_CHARACTERS = 1000;

export class LastWords {
  #tail = '';

  take(chunk: Buffer): void {
    this.#tail = (this.#tail + chunk.toString()).slice(-MOST_CHARACTERS);
  }

  /** The last lines, the oldest of them perhaps cut; '' where nothing was printed. */
  get text(): string {
    return this.#tail.trim();
  }
}
