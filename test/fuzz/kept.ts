/** Where inputs lie that were findings. */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The folder, in a sandbox, that holds the input at hand. */
export const chosenIn = (sandbox: string) => join(sandbox, 'a/b/c/d/chosen');
export const keptAs = (reader: string, seed: number) => resolve('dist', 'fuzz-findings', `${reader}-${seed}`);

export function keepInput(sandbox: string, reader: string, seed: number): void {
  const folder = keptAs(reader, seed);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(chosenIn(sandbox), folder, { recursive: true });
}
