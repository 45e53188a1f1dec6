/** What a data set is like, counted from its split files. */
import { splitNames } from '../contract/entities.js';
import { openLanguageTools, openTokenizer, profileRows, type ProfileRow, type ProfileTools } from '../data/index.js';
import { readSplit } from './dataset.js';
import type { JobOf, ResultOf } from './protocol.js';
import type { JobContext } from './server.js';

/** Between two looks at what the studio asks for. */
const rowsBetween = 1000;

/** @throws StudioError `bad-data` naming file and line, `bad-model` for a tokenizer that cannot be read */
export async function profile(
  { task, model, data }: JobOf<'profile'>,
  context: JobContext,
): Promise<ResultOf<'profile'>> {
  let read = 0;
  const rows = async function* (): AsyncGenerator<ProfileRow> {
    for (const split of splitNames) {
      const file = data[split];
      if (file === null) continue;
      for await (const row of readSplit(file)) {
        yield { ...row, split, line: row.id };
        if ((read += 1) % rowsBetween === 0) await context.breathe();
      }
    }
  };
  const tell = (done: number) =>
    void context.emit({ type: 'progress', done, total: null, message: 'Checking every row' });
  return { type: 'profile', profile: await profileRows(rows(), await toolsOf(task, model), { onProgress: tell }) };
}

async function toolsOf(task: JobOf<'profile'>['task'], model: JobOf<'profile'>['model']): Promise<ProfileTools> {
  if (model === null) return { task, tokenizer: null };
  const { folder, ...fit } = model;
  if (task === 'generation') return { task, ...(await openLanguageTools(folder, fit)) };
  return { task, tokenizer: await openTokenizer(folder, fit) };
}
