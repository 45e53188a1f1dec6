/** New base models from the user's own text. */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Handlers } from '../contract/calls.js';
import { StudioError } from '../contract/errors.js';
import type { Pretraining } from '../contract/pretraining.js';
import { namingFile } from '../contract/problem-of.js';
import { records } from '../storage/index.js';
import { workApart } from './apart.js';
import type { Context } from './context.js';
import { requireSpace } from './files.js';
import { secondsLeft } from './jobs.js';
import { addModel } from './models.js';

function requireSizes({ hiddenSize, heads }: Pretraining): void {
  if (hiddenSize % heads === 0) return;
  const fitting = Array.from({ length: 64 }, (_, at) => at + 1).filter((count) => hiddenSize % count === 0);
  throw new StudioError(
    'bad-input',
    `heads: ${heads} heads do not share a width of ${hiddenSize} equally.`,
    `Use one of: ${fitting.join(', ')}.`,
    { path: 'heads' },
  );
}

/** About the numbers of an encoder of this size. */
function numbersOf({ vocabularySize, hiddenSize, layers, intermediateSize, maxLength }: Pretraining): number {
  const inner = intermediateSize ?? 4 * hiddenSize;
  return (vocabularySize + maxLength) * hiddenSize + layers * (4 * hiddenSize ** 2 + 2 * hiddenSize * inner);
}

/** What a model is made in, beside its folder: it takes that one's name when it is whole. */
const unfinished = (folder: string) => join(dirname(folder), `.${basename(folder)}.pretraining`);

export function pretrainingCalls(context: Context): Pick<Handlers, 'models.pretrain'> {
  return {
    'models.pretrain': async ({ texts, folder: target, name, settings }) => {
      requireSizes(settings);
      const folder = resolve(target);
      const there = await readdir(folder).catch(() => []);
      if (there.length > 0)
        throw new StudioError('conflict', `${folder} is not empty.`, 'Choose a new or empty folder.', { folder });
      const files = texts.map((text) => resolve(text));
      for (const file of files) await stat(file).catch(namingFile(file));
      const workFolder = unfinished(folder);
      await mkdir(dirname(folder), { recursive: true });
      // Weights, a checkpoint with two moments each, and one being written.
      await requireSpace(dirname(folder), 8 * 4 * numbersOf(settings), 'The model');
      const { threads } = await records.readSettings(context.database);
      return context.jobs.start('pretrain', `Make ${basename(folder)} from text`, async (handle) => {
        const left = secondsLeft();
        const job = { type: 'pretrain', texts: files, workFolder, settings, threads } as const;
        const { type: _type, ...made } = await workApart<'pretrain'>(context, job, {
          signal: handle.signal,
          onEvent: (event) => {
            if (event.type === 'progress') handle.progress(event.done, event.total, event.message, left(event));
          },
        });
        await rm(folder, { recursive: true, force: true });
        await rename(workFolder, folder);
        return { ...made, model: await addModel(context, folder, name) };
      });
    },
  };
}
