/** The weights of a Hugging Face folder: model.safetensors, or the shards that model.safetensors.index.json names. */
import { readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { Tensor } from '../types.js';
import { badFile, type SafetensorsEntry } from './header.js';
import { openFailure, readSafetensorsHeader, readTensor } from './reader.js';

export interface WeightEntry extends SafetensorsEntry {
  /** The file that holds it. */
  readonly path: string;
}

export interface Weights {
  readonly folder: string;
  readonly files: readonly string[];
  readonly entries: ReadonlyMap<string, WeightEntry>;
  /** Bytes of all tensors. */
  readonly bytes: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** A tensor as float32. @throws EngineError `bad-file` for a name that is not there. */
  read(name: string): Promise<Tensor>;
}

const single = 'model.safetensors';
const indexName = 'model.safetensors.index.json';
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Opens a folder's weights without reading tensors.
 * @throws EngineError `bad-file` if there are none, a shard is missing, the index points outside its folder or names
 * tensors its shards do not hold, or only pickled weights are there.
 */
export async function openWeights(folder: string): Promise<Weights> {
  const names = new Set(
    await readdir(folder).catch((error: unknown) => {
      throw openFailure(folder, error);
    }),
  );
  if (names.has(single)) {
    const path = join(folder, single);
    const { entries, metadata } = await readSafetensorsHeader(path);
    return weights(
      folder,
      [path],
      [...entries.values()].map((entry) => ({ ...entry, path })),
      metadata,
    );
  }
  if (names.has(indexName)) return openShards(folder, names);
  const pickled = [...names].find((name) => /^(pytorch_model|model).*\.(bin|pt|pth|index\.json)$/.test(name));
  if (pickled !== undefined) {
    throw badFile(
      join(folder, pickled),
      'the folder holds pickled weights only.',
      'Pickles can run code when they are loaded, so they are never opened. Save the model as safetensors (in Python: model.save_pretrained(folder, safe_serialization=True)).',
    );
  }
  throw badFile(
    join(folder, single),
    'there is no such file.',
    `The folder needs ${single}, or ${indexName} with its shards.`,
  );
}

async function openShards(folder: string, names: ReadonlySet<string>): Promise<Weights> {
  const indexPath = join(folder, indexName);
  const weightMap = await readIndex(indexPath);
  const shards = [...new Set(weightMap.values())].sort();
  for (const shard of shards) {
    // A shard lies beside its index; anything else could reach files the user never chose.
    if (shard !== basename(shard) || shard.includes('\\') || !shard.endsWith('.safetensors')) {
      throw badFile(
        indexPath,
        `it points to "${shard}", which is not a .safetensors file in its own folder.`,
        'Do not use this folder unless you trust where it comes from; download it again.',
      );
    }
    if (!names.has(shard))
      throw badFile(
        join(folder, shard),
        `the shard is missing; ${indexName} names it.`,
        'Download this shard into the folder.',
      );
  }
  const entries: WeightEntry[] = [];
  for (const shard of shards) {
    const path = join(folder, shard);
    const header = await readSafetensorsHeader(path);
    for (const [name, file] of weightMap) {
      if (file !== shard) continue;
      const entry = header.entries.get(name);
      if (entry === undefined) throw badFile(path, `the tensor "${name}" is missing; ${indexName} says it is here.`);
      entries.push({ ...entry, path });
    }
  }
  return weights(
    folder,
    shards.map((shard) => join(folder, shard)),
    entries,
    {},
  );
}

async function readIndex(path: string): Promise<Map<string, string>> {
  try {
    return new Map(Object.entries(indexSchema.parse(JSON.parse(await readFile(path, 'utf8'))).weight_map));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      throw badFile(path, 'it is not an index of shards (JSON with a "weight_map" from tensor to file).', undefined, {
        cause: error,
      });
    throw openFailure(path, error);
  }
}

function weights(
  folder: string,
  files: readonly string[],
  list: readonly WeightEntry[],
  metadata: Readonly<Record<string, string>>,
): Weights {
  const entries = new Map(list.map((entry) => [entry.name, entry]));
  return {
    folder,
    files,
    entries,
    metadata,
    bytes: list.reduce((sum, entry) => sum + entry.length, 0),
    async read(name) {
      const entry = entries.get(name);
      if (entry === undefined)
        throw badFile(
          files[0] ?? folder,
          `there is no tensor "${name}".`,
          'The weights do not belong to this architecture, or are not complete.',
        );
      return readTensor(entry.path, entry);
    },
  };
}
