/** Profiles of data sets, counted once: rows never change after their import, so a profile holds as long as rows and tokenizer are the same. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Handlers } from '../contract/calls.js';
import { profileSchema, type BaseModel, type Dataset, type Profile } from '../contract/entities.js';
import { tokenizerIdentity } from '../data/index.js';
import { datasets, models } from '../storage/index.js';
import { workApart } from './apart.js';
import { datasetFolder, type Context } from './context.js';
import { materialize } from './datasets.js';
import { replaceFile, type Maker } from './files.js';
import { secondsLeft, throwIfAborted, type JobHandle } from './jobs.js';

/** Raised when the same rows come to another profile than before. */
const version = 3;

type Profiling = Pick<Context, 'database' | 'home' | 'presence' | 'spawnTrainer' | 'jobs'>;

export function profileCalls(context: Profiling): Pick<Handlers, 'datasets.profile'> {
  const { database, home, jobs } = context;
  /** Jobs under way by the file that each comes to. */
  const underWay = new Map<string, { jobId: string }>();
  return {
    'datasets.profile': async ({ id, modelId }) => {
      const dataset = await datasets.getDataset(database, id);
      const model = modelId === null ? null : await models.getModel(database, modelId);
      const path = join(datasetFolder(home, id), await fileOf(dataset, model));
      const known = underWay.get(path);
      if (known) return known;
      const job = jobs.start(
        'profile',
        `Check the rows of ${dataset.name}`,
        async (handle) => {
          try {
            const kept = await read(path);
            if (kept) return named(kept, model);
            const counted = await count(context, dataset, model, handle);
            // Where it cannot be kept (a full disk), it is counted again next time.
            await keep(context.presence, path, counted).catch(() => undefined);
            return named(counted, model);
          } finally {
            underWay.delete(path);
          }
        },
        datasetFolder(home, id),
      );
      underWay.set(path, job);
      return job;
    },
  };
}

/** A model may have got another name since. */
const named = (profile: Profile, model: BaseModel | null): Profile =>
  model === null ? profile : { ...profile, lengths: { ...profile.lengths, tokenizer: model.name } };

async function fileOf(dataset: Dataset, model: BaseModel | null): Promise<string> {
  const fit = model && { vocabularySize: model.vocabularySize, architecture: model.architecture };
  const key = [version, dataset.contentHash, model && (await tokenizerIdentity(model.folder)), fit];
  return `profile-${createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 24)}.json`;
}

/** By the tokenizer of `model`, in words without one. Rejects with StudioError 'cancelled' when the signal says so, or of the tokenizer. */
async function count(
  context: Profiling,
  dataset: Dataset,
  model: BaseModel | null,
  { signal, progress }: JobHandle,
): Promise<Profile> {
  const { train, validation, test } = dataset.rows;
  const total = train + validation + test;
  progress(0, total, 'Preparing the rows');
  const data = await materialize(context, dataset, signal);
  throwIfAborted(signal);
  try {
    const left = secondsLeft();
    const { task } = dataset;
    const fit = model && {
      folder: model.folder,
      vocabularySize: model.vocabularySize,
      architecture: model.architecture,
    };
    const job = { type: 'profile', task, model: fit, data } as const;
    const { profile } = await workApart<'profile'>(context, job, {
      signal,
      onEvent: (event) => {
        if (event.type === 'progress') progress(event.done, total, event.message, left({ done: event.done, total }));
      },
      atOnce: true,
    });
    return await withLines(context, profile);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}

/** The trainer knows rows by their numbers only. */
async function withLines({ database }: Profiling, profile: Profile): Promise<Profile> {
  const ids = profile.warnings.flatMap(({ examples }) => examples.map(({ line }) => line));
  const lines = await datasets.linesOf(database, ids);
  const placed = profile.warnings.map((warning) => ({
    ...warning,
    examples: warning.examples.map((example) => ({ ...example, line: lines.get(example.line) ?? 0 })),
  }));
  return { ...profile, warnings: placed };
}

/** Null where there is none, or one that another version wrote. */
async function read(path: string): Promise<Profile | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return profileSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

async function keep(presence: Maker, path: string, profile: Profile): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await replaceFile(presence, path, (part) => writeFile(part, JSON.stringify(profile)));
}
