/** Base models as tasks stand on them: opened with their tokenizer, and kept from one run to the next where these come in a row. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openTokenizer, type TextTokenizer } from '../data/index.js';
import type { BaseModelInfo } from '../engine/index.js';
import type { EngineDoor } from './engine-door.js';

/** What all that stands on a base has in common. */
export interface OpenBase {
  readonly model: BaseModelInfo;
  readonly tokenizer: TextTokenizer;
}

export type BaseOpener = (folder: string, engine: EngineDoor) => Promise<OpenBase>;

export const openBase: BaseOpener = async (folder, engine) => {
  const model = await engine.openModel(folder);
  const { vocabularySize, architecture } = model;
  return { model, tokenizer: await openTokenizer(folder, { vocabularySize, architecture }) };
};

/** An opener that keeps the last base, whose tokenizer then remembers the texts that it has met. A folder that has changed is opened anew. */
export function keepingBase(): BaseOpener {
  let kept: { readonly stamp: string; readonly base: OpenBase } | null = null;
  return async (folder, engine) => {
    const stamp = await stampOf(folder);
    if (kept?.stamp === stamp) return kept.base;
    const base = await openBase(folder, engine);
    base.tokenizer.remember();
    kept = { stamp, base };
    return base;
  };
}

/** Equal as long as nothing in the folder was written. */
async function stampOf(folder: string): Promise<string> {
  const names = (await readdir(folder)).sort();
  const files = await Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs } = await stat(join(folder, name));
      return [name, size, mtimeMs];
    }),
  );
  return JSON.stringify([folder, files]);
}
