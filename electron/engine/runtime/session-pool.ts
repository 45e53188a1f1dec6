/**
 * Compiled graphs that are kept after use: a run of the same method after another needs no compilation and reads no weights anew.
 * A session has no state of its own (parameters and moments are fed), so one that was made of the same bytes is the same session.
 */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';

/** None, until a process says that it trains several runs in a row. */
let most = 0;
/** The longest unused first. */
const idle = new Map<string, InferenceSession>();

/** Keeps so many sessions from now on; those beyond are let go, the longest unused first. */
export async function keepSessions(count: number): Promise<void> {
  most = count;
  await evict();
}

/** What a session is made of: the graph, the very weight files that it points into, where it runs. Null where none are kept. */
export function poolKey(bytes: Uint8Array, folder: string | undefined, where: object): string | null {
  if (most === 0) return null;
  const hash = createHash('sha256')
    .update(bytes)
    .update(JSON.stringify([folder, where]));
  if (folder !== undefined)
    for (const name of readdirSync(folder).sort()) {
      if (!name.endsWith('.safetensors')) continue;
      const { size, mtimeMs } = statSync(join(folder, name));
      hash.update(JSON.stringify([name, size, mtimeMs]));
    }
  return hash.digest('hex');
}

/** A kept session, which is now the caller's. */
export function takeSession(key: string | null): InferenceSession | null {
  const session = key === null ? undefined : idle.get(key);
  if (key === null || session === undefined) return null;
  idle.delete(key);
  return session;
}

/** Keeps a session for the next that is made of the same, or lets it go. */
export async function giveBackSession(key: string | null, session: InferenceSession): Promise<void> {
  if (key === null || most === 0 || idle.has(key)) return session.release();
  idle.set(key, session);
  await evict();
}

async function evict(): Promise<void> {
  for (const [key, session] of idle) {
    if (idle.size <= most) return;
    idle.delete(key);
    await session.release();
  }
}
