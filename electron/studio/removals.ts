/** Takes runs and data sets out of the database, and their folders with them. */
import { rm } from 'node:fs/promises';
import type { Context } from './context.js';

/**
 * `forget` deletes the records of what lies in the folders, which then go. They are noted before: where the app is killed in between, whoever
 * notices that removes those that nothing in the database stands for any more (recovery.ts).
 */
export async function removeWithFolders(
  { presence, jobs }: Pick<Context, 'presence' | 'jobs'>,
  folders: readonly string[],
  forget: () => Promise<void>,
): Promise<void> {
  await jobs.leave(folders);
  // Whoever deletes may do so because the disk is full: then there is no room for a note either.
  const noted = await Promise.all(folders.map((folder) => presence.making(folder).catch(() => async () => undefined)));
  try {
    await forget();
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  } finally {
    for (const takeBack of noted) await takeBack().catch(() => undefined);
  }
}
