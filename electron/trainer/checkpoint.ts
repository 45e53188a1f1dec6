/**
 * Checkpoints of one run: `step-<n>.safetensors` holds parameters, moments, counters and (as metadata) the run's
 * progress; `best-<n>.safetensors` the parameters of the best validation. Each carries a hash of its own content,
 * so that a torn or altered file is recognized; the two newest are kept, and a broken newest falls back to the other.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { namingFile } from '../contract/problem-of.js';
import {
  readSafetensors,
  readSafetensorsHeader,
  sweepTemporaries,
  writeSafetensors,
  type NamedTensors,
} from '../engine/index.js';
import { toProblem } from './problems.js';
import { progressSchema, type Progress } from './progress.js';

export const checkpointFolderName = 'checkpoints';
const kept = 2;
const stepName = /^step-(\d+)\.safetensors$/;
const bestName = /^best-\d+\.safetensors$/;
const fileOf = (kind: 'step' | 'best', step: number) => `${kind}-${String(step).padStart(9, '0')}.safetensors`;

export interface Checkpoint {
  readonly state: NamedTensors;
  readonly progress: Progress;
  /** Newer checkpoints that could not be used, with the reason. */
  readonly skipped: readonly string[];
}

export class CheckpointStore {
  private constructor(private readonly folder: string) {}

  /** Opens (and makes) the checkpoint folder of a run and removes what a killed writer left. */
  static async open(runFolder: string): Promise<CheckpointStore> {
    const folder = join(runFolder, checkpointFolderName);
    await mkdir(folder, { recursive: true });
    // The run's own folder too: it may have been killed while it kept its result.
    await Promise.all([sweepTemporaries(folder), sweepTemporaries(runFolder)]);
    return new CheckpointStore(folder);
  }

  /** Forgets every checkpoint: a run that starts anew must not find those of an earlier attempt. */
  async clear(): Promise<void> {
    const names = await readdir(this.folder);
    await Promise.all(
      names
        .filter((name) => stepName.test(name) || bestName.test(name))
        .map((name) => rm(join(this.folder, name), { force: true })),
    );
  }

  /** Writes the state after `progress.step` steps, then drops what is older than the two newest. */
  async save(state: NamedTensors, progress: Progress): Promise<void> {
    await writeHashed(join(this.folder, fileOf('step', progress.step)), state, { progress: JSON.stringify(progress) });
    await this.prune(progress);
  }

  /** Writes the parameters of a validation that is the best so far; returns the file's name for `progress.best`. */
  async saveBest(step: number, parameters: NamedTensors): Promise<string> {
    const file = fileOf('best', step);
    await writeHashed(join(this.folder, file), parameters, {});
    return file;
  }

  /** @throws StudioError `bad-file` if the file is missing or torn. */
  async loadBest(file: string): Promise<NamedTensors> {
    return (await readHashed(join(this.folder, file))).tensors;
  }

  /**
   * The newest checkpoint that is whole, its best parameters included; null if there is none at all.
   * @throws StudioError `bad-file` if there are checkpoints but none of them is whole.
   */
  async loadNewest(): Promise<Checkpoint | null> {
    const skipped: string[] = [];
    for (const name of await this.stepFiles()) {
      try {
        const { tensors, metadata } = await readHashed(join(this.folder, name));
        const progress = progressSchema.parse(JSON.parse(metadata.progress ?? 'null'));
        if (progress.best !== null) await this.loadBest(progress.best.file);
        return { state: tensors, progress, skipped };
      } catch (error) {
        skipped.push(`${name}: ${toProblem(error).message}`);
      }
    }
    if (skipped.length === 0) return null;
    throw new StudioError(
      'bad-file',
      `No checkpoint of this run is whole: ${skipped.join(' ')}`,
      'Start the run again; its settings and data are unchanged.',
      { folder: this.folder },
    );
  }

  /** Newest first. */
  private async stepFiles(): Promise<string[]> {
    const names = (await readdir(this.folder)).filter((name) => stepName.test(name));
    return names.sort((left, right) => (left < right ? 1 : -1));
  }

  private async prune(newest: Progress): Promise<void> {
    const steps = await this.stepFiles();
    const gone = steps.slice(kept);
    const needed = new Set<string | undefined>([newest.best?.file]);
    // What each kept one stands on, by its header alone. That of a trainer that has not yet noticed its app's end may be among them.
    for (const name of steps.slice(0, kept)) needed.add(await this.bestFileOf(name));
    const bests = (await readdir(this.folder)).filter((name) => bestName.test(name) && !needed.has(name));
    await Promise.all([...gone, ...bests].map((name) => rm(join(this.folder, name), { force: true })));
  }

  private async bestFileOf(name: string): Promise<string | undefined> {
    try {
      const { metadata } = await readSafetensorsHeader(join(this.folder, name));
      return progressSchema.parse(JSON.parse(metadata.progress ?? 'null')).best?.file;
    } catch {
      return undefined; // A torn older checkpoint needs nothing any more.
    }
  }
}

/** Writes tensors (whole or not at all, see `writeSafetensors`) with a hash of names, shapes, values and metadata. */
export async function writeHashed(
  path: string,
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  await writeSafetensors(path, tensors, { ...metadata, contentHash: hashOf(tensors, metadata) }).catch(
    namingFile(path),
  );
}

/** Reads what {@link writeHashed} wrote. @throws StudioError `bad-file` if the content does not have its hash. */
export async function readHashed(
  path: string,
): Promise<{ tensors: NamedTensors; metadata: Readonly<Record<string, string>> }> {
  const { tensors, metadata } = await readSafetensors(path);
  const { contentHash, ...rest } = metadata;
  if (contentHash !== hashOf(tensors, rest))
    throw new StudioError(
      'bad-file',
      `${path} does not hold what was written to it (its content hash differs).`,
      'The file was cut off or changed; go back to an older one or run again.',
      { path },
    );
  return { tensors, metadata: rest };
}

function hashOf(tensors: NamedTensors, metadata: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256');
  for (const key of Object.keys(metadata).sort()) hash.update(JSON.stringify([key, metadata[key]]));
  for (const name of [...tensors.keys()].sort()) {
    const tensor = tensors.get(name);
    if (tensor === undefined) continue;
    hash.update(JSON.stringify([name, tensor.shape]));
    hash.update(new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
  }
  return hash.digest('hex');
}
