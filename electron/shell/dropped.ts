/** What the user drops on the window is granted to it, like a path chosen in a dialog. No Electron here, so it is tested in plain Node. */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import type { EventData } from '../contract/calls.js';
import type { Grants } from './grants.js';

const pathsSchema = z.array(z.string().min(1)).min(1).max(16);

/** Grants files and folders that are there, as the kind they are; anything else is left out. */
export async function grantDropped(sent: unknown, grants: Grants): Promise<EventData<'dropped'>['items']> {
  const paths = pathsSchema.safeParse(sent);
  const items: EventData<'dropped'>['items'] = [];
  for (const path of paths.data ?? []) {
    const info = await stat(path).catch(() => null);
    const kind = info?.isDirectory() ? 'folder' : info?.isFile() ? 'file' : null;
    if (kind === null) continue;
    grants.grant(path, kind);
    items.push({ path, kind });
  }
  return items;
}
