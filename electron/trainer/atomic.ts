/** Files that are there whole or not at all, whenever the power goes. */
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Lets `write` fill a temporary file beside `path`, forces it to the disk, renames it into place and forces the
 * folder entry too. On failure `path` stays as it was and the temporary file is removed.
 */
export async function writeAtomically(path: string, write: (temporaryPath: string) => Promise<void>): Promise<void> {
  const temporaryPath = join(dirname(path), `${basename(path)}.${process.pid}.tmp`);
  try {
    await write(temporaryPath);
    await sync(temporaryPath, 'r+');
    await rename(temporaryPath, path);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    // Nobody knows the temporary file's name.
    if (error instanceof Error && 'path' in error && error.path === temporaryPath) error.path = path;
    throw error;
  }
  // Windows has no handle of a folder to sync; its rename is journalled.
  if (process.platform !== 'win32') await sync(dirname(path), 'r');
}

async function sync(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
