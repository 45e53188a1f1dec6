/** Where one fault takes place: a data folder of its own, a folder outside it, and what the undisturbed work made there. */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';

export interface Stage {
  /** The data folder. */
  readonly home: string;
  /** Where a user would have exports and project files. */
  readonly outside: string;
  /** What is read: models, rows, a project's file. Must never change. */
  readonly inputs: string;
  /** Uniform numbers in [0, 1). */
  readonly random: () => number;
}

/** A fresh stage in `folder`, its data folder at `home` (there already where it is a disk of its own) as `template` has it. */
export async function setStage(
  folder: string,
  template: string,
  inputs: string,
  random: () => number,
  home = join(folder, 'home'),
): Promise<Stage> {
  const outside = join(folder, 'outside');
  await mkdir(outside, { recursive: true });
  await mkdir(home, { recursive: true });
  await cp(template, home, { recursive: true });
  return { home, outside, inputs, random };
}

/** All files below a folder, as paths within it. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .sort();
}

/** A folder itself and all below it, as paths within it. */
export async function foldersBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const below = entries.filter((entry) => entry.isDirectory());
  return ['.', ...below.map(({ parentPath, name }) => relative(folder, join(parentPath, name)))];
}

export const hashOfFile = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

/** Names, sizes and times of all files below a folder: what a write there would change. */
export async function printOf(folder: string): Promise<string> {
  const lines = (await filesBelow(folder)).map(async (name) => {
    const { size, mtimeMs } = await stat(join(folder, name));
    return `${name} ${size} ${mtimeMs}`;
  });
  return (await Promise.all(lines)).join('\n');
}
