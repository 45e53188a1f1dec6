/** What the user drops on the window is granted to it, like a path chosen in a dialog. No Electron here, so it is tested in plain Node. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { EventData } from '../contract/calls.js';
import type { Grants } from './grants.js';

const pathsSchema = z.array(z.string().min(1)).min(1).max(16);

/** Does a folder hold what train.py wrote, itself or in `result`? */
const holdsResult = async (folder: string): Promise<boolean> => {
  const found = await Promise.all(
    [join(folder, 'result.json'), join(folder, 'result', 'result.json')].map((file) => stat(file).catch(() => null)),
  );
  return found.some((info) => info?.isFile());
};

/** Grants files and folders that are there, as the kind they are; anything else is left out. */
export async function grantDropped(sent: unknown, grants: Grants): Promise<EventData<'dropped'>['items']> {
  const paths = pathsSchema.safeParse(sent);
  const items: EventData<'dropped'>['items'] = [];
  for (const path of paths.data ?? []) {
    const info = await stat(path).catch(() => null);
    const kind = info?.isDirectory() ? 'folder' : info?.isFile() ? 'file' : null;
    if (kind === null) continue;
    grants.grant(path, kind);
    items.push({ path, kind, ...(kind === 'folder' && (await holdsResult(path)) ? { result: true as const } : {}) });
  }
  return items;
}
