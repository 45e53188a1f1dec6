/** Project files that the system asks the window to open: by a double click, or from a command line. */
import { listen } from './client.js';

class OpenedFiles {
  readonly #waiting: string[] = [];
  #take: ((path: string) => void) | null = null;

  /** The shell tells of the files of a start once the page is loaded, which may be before it is drawn: in other languages than English a catalogue is read first. */
  begin(): void {
    listen('opened', ({ path }) => {
      if (this.#take) this.#take(path);
      else this.#waiting.push(path);
    });
  }

  /** From now on files go to `take`, those that wait at once. Returns the function that lets them wait again. */
  listen(take: (path: string) => void): () => void {
    this.#take = take;
    for (const path of this.#waiting.splice(0)) take(path);
    return () => void (this.#take = null);
  }
}

export const opened = new OpenedFiles();
