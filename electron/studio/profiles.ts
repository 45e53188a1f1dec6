/** Profiles of data sets, counted once: rows never change after their import, so a profile holds as long as rows and tokenizer are the same. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { profileSchema, type BaseModel, type Dataset, type Profile } from '../contract/entities.js';
import { openTokenizer, profileRows, tokenizerIdentity, type ProfileTools } from '../data/index.js';
import { datasets } from '../storage/index.js';
import { datasetFolder, type Context } from './context.js';
import { replaceFile, type Maker } from './files.js';
import { languageTools } from './tokens.js';

/** Raised when the same rows come to another profile than before. */
const version = 3;

/** Profile by the tokenizer of `model`, in words without one; kept beside the data set's files. Throws StudioError of the tokenizer. */
export async function profileOf(
  context: Pick<Context, 'database' | 'home'> & { readonly presence: Maker },
  dataset: Dataset,
  model: BaseModel | null,
): Promise<Profile> {
  const fit = model && { vocabularySize: model.vocabularySize, architecture: model.architecture };
  const key = [version, dataset.contentHash, model && (await tokenizerIdentity(model.folder)), fit];
  const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 24);
  const path = join(datasetFolder(context.home, dataset.id), `profile-${name}.json`);
  const profile = (await read(path)) ?? (await count());
  return model === null ? profile : { ...profile, lengths: { ...profile.lengths, tokenizer: model.name } };

  async function count(): Promise<Profile> {
    const counted = await profileRows(datasets.eachRow(context.database, dataset.id), await toolsOf(dataset, model));
    // Where it cannot be kept (a full disk), it is counted again next time.
    await keep(context.presence, path, counted).catch(() => undefined);
    return counted;
  }
}

async function toolsOf({ task }: Dataset, model: BaseModel | null): Promise<ProfileTools> {
  if (model === null) return { task, tokenizer: null };
  if (task === 'generation') return { task, ...(await languageTools(model)) };
  const { vocabularySize, architecture } = model;
  return { task, tokenizer: await openTokenizer(model.folder, { vocabularySize, architecture }) };
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
