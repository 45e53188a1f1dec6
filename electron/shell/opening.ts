/** Project files that the system asks the app to open: by a double click, from a command line, or while it is running already. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** As electron-builder.yml registers it. */
const extension = '.peftproject';

function asPath(word: string, folder: string): string | null {
  if (!word.startsWith('file:')) return path.resolve(folder, word);
  try {
    return fileURLToPath(word);
  } catch {
    return null;
  }
}

/**
 * The project files among the words of a start; desktops give paths or `file:` addresses.
 * @param argv without the program itself
 * @param folder what relative paths start from
 */
export function projectFiles(argv: readonly string[], folder: string): string[] {
  return argv
    .filter(
      (word) => !word.startsWith('-') && !/^(?!file:)\w{2,}:/.test(word) && word.toLowerCase().endsWith(extension),
    )
    .flatMap((word) => asPath(word, folder) ?? [])
    .slice(0, 16);
}

/** Hands files on, one after the other; those that come before anybody listens wait. */
export class OpenedFiles {
  #waiting: string[] = [];
  #take: ((file: string) => void) | null = null;

  /** Files that are not there are left out. */
  async add(files: readonly string[]): Promise<void> {
    for (const file of files) {
      const info = await stat(file).catch(() => null);
      if (!info?.isFile()) continue;
      if (this.#take) this.#take(file);
      else this.#waiting.push(file);
    }
  }

  /** From now on files go to `take`, those that wait at once; null lets them wait again. */
  listen(take: ((file: string) => void) | null): void {
    this.#take = take;
    if (take === null) return;
    for (const file of this.#waiting.splice(0)) take(file);
  }
}
