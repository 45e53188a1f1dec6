/** Writes a plan as a project of Python: data as the run uses them, the program, its versions, and the plan. */
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { labelsIn } from '../../contract/learned.js';
import { namingFile } from '../../contract/problem-of.js';
import { splitNames, type Dataset, type SplitName } from '../../contract/entities.js';
import { classWeights, spreadOf } from '../../data/index.js';
import { planParameters } from '../../engine/index.js';
import { hashWeights, isHead } from '../../interchange/index.js';
import { datasets, models } from '../../storage/index.js';
import { now, type Context } from '../context.js';
import { bytesBelow, makeFolder, requireSpace } from '../files.js';
import { throwIfAborted, type JobHandle } from '../jobs.js';
import { learnedObjective } from '../objective.js';
import type { Going } from './check.js';
import { furtherObjectiveSchema, LinesHash, lineOf, usedRows, type Setup } from './format.js';
import { readmeOf } from './readme.js';

/** What a base model's folder holds for transformers. */
const modelFile = /\.(json|txt|model|safetensors|jinja)$/;
const programs = ['train.py', 'rows.py', 'measures.py', 'requirements.txt'] as const;
/** Texts with quotes and keys around them. */
const bytesOfRow = 64;

interface Written {
  readonly splits: Record<SplitName, Setup['data']['train']>;
  /** Labels of the training rows, in their order. */
  readonly labels: readonly string[];
}

/** @param withModel whether the base model goes along */
export async function writeFurther(
  context: Context,
  going: Going,
  target: string,
  withModel: boolean,
  handle: JobHandle,
): Promise<{ folder: string; bytes: number; writtenAt: string }> {
  const { plan, modelId, datasetId } = going;
  const folder = resolve(target);
  const model = await models.getModel(context.database, modelId);
  const dataset = await datasets.getDataset(context.database, datasetId);
  const modelFiles = withModel ? (await readdir(model.folder)).filter((name) => modelFile.test(name)) : [];
  const bytes = await Promise.all(modelFiles.map((name) => bytesBelow(join(model.folder, name))));
  const rows = splitNames.reduce((sum, name) => sum + dataset.rows[name], 0);
  await requireSpace(
    folder,
    bytes.reduce((sum, size) => sum + size, 0),
    'The project',
    rows * bytesOfRow,
  );
  await makeFolder(context.presence, folder, async (temporary) => {
    handle.progress(0, 3, 'Writing the data');
    await mkdir(join(temporary, 'data'), { recursive: true });
    const written = await writeSplits(context, dataset, drawnIn(going), temporary, handle);
    handle.progress(1, 3, 'Reading the base model');
    const setup = setupOf(going, dataset, { name: model.name, weights: await hashWeights(model.folder) }, written);
    const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
    const trained = { ...plan, model: model.name, data: dataset.name };
    await writeFile(join(temporary, 'setup.json'), json(setup));
    await writeFile(join(temporary, 'plan.json'), json(trained));
    await writeFile(join(temporary, 'README.md'), readmeOf(plan, setup, withModel));
    for (const name of programs) await copyFile(join(context.assets, 'further', name), join(temporary, name));
    handle.progress(2, 3, 'Copying the base model');
    if (withModel) await mkdir(join(temporary, 'model'));
    for (const name of modelFiles) {
      throwIfAborted(handle.signal);
      await copyFile(join(model.folder, name), join(temporary, 'model', name));
    }
  });
  return { folder, bytes: await bytesBelow(folder), writtenAt: now() };
}

/** The examples of each class that the training split is cut to; null for all. */
const drawnIn = ({ plan: { training } }: Going): Setup['drawn'] =>
  training.examplesPerClass === null ? null : { examplesPerClass: training.examplesPerClass, seed: training.seed };

async function writeSplits(
  context: Context,
  dataset: Dataset,
  drawn: Setup['drawn'],
  folder: string,
  handle: JobHandle,
): Promise<Written> {
  const splits: Written['splits'] = { train: null, validation: null, test: null };
  const labels: string[] = [];
  for (const split of splitNames) {
    if (dataset.rows[split] === 0) continue;
    const file = `data/${split}.jsonl`;
    const hash = new LinesHash();
    async function* lines(): AsyncGenerator<string> {
      for await (const row of usedRows(context, dataset, split, drawn)) {
        throwIfAborted(handle.signal);
        if (split === 'train') labels.push(row.label);
        const line = lineOf(row);
        hash.add(line);
        yield `${line}\n`;
      }
    }
    const path = join(folder, file);
    await pipeline(lines(), createWriteStream(path)).catch(namingFile(path));
    splits[split] = { file, rows: hash.rows, hash: hash.hex };
  }
  return { splits, labels };
}

function setupOf(
  going: Going,
  dataset: Dataset,
  model: { readonly name: string; readonly weights: string },
  { splits, labels }: Written,
): Setup {
  const { plan, info, trains } = going;
  const { training, method } = plan;
  const objective = learnedObjective(plan, dataset);
  const names = labelsIn(objective);
  const counts = (names ?? []).map((name) => labels.filter((label) => label === name).length);
  const weights = objective.type === 'classification' ? classWeights(training.classWeights, names ?? [], counts) : null;
  return {
    format: 'peft-studio-further',
    version: 1,
    objective: furtherObjectiveSchema.parse(plan.objective),
    labels: names === null ? null : [...names],
    method,
    trains: { ...trains, weights: trains.weights === null ? null : [...trains.weights] },
    classWeights: weights && Array.from(weights),
    standard: objective.type === 'regression' ? standardOf(plan.method, info, labels.map(Number)) : null,
    model: { ...model, architecture: info.architecture },
    data: { name: dataset.name, ...splits },
    drawn: drawnIn(going),
  };
}

/** Numbers are learned as standard scores, as the trainer does it; without a bias there is no place for their mean. */
function standardOf(method: Going['plan']['method'], model: Going['info'], values: readonly number[]) {
  const { mean, deviation } = spreadOf(values);
  const head = planParameters({ model, method, objective: { type: 'regression' }, steps: 0 });
  const centred = head.some(({ name, shape }) => isHead(model, name) && name.endsWith('.bias') && shape.join() === '1');
  return centred ? { center: mean, scale: deviation || 1 } : { center: 0, scale: Math.hypot(mean, deviation) || 1 };
}
