/** Base models: the bundled starter and folders that the user adds. Folders stay where they are. */
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Handlers } from '../contract/calls.js';
import type { BaseModel } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { openTokenizer } from '../data/index.js';
import { countParameters, mapParameters, openModel, searchesWording, type MethodSpec } from '../engine/index.js';
import { datasets, models, runs } from '../storage/index.js';
import { changed, now, type Context } from './context.js';
import { objectiveOn } from './objective.js';
import { wayOn } from './refinements.js';

type Group = Pick<
  Handlers,
  'models.list' | 'models.inspect' | 'models.add' | 'models.remove' | 'models.count' | 'models.map'
>;

export const starterName = 'Starter';

/** The licence that a model card's front matter names. */
async function licenceOf(folder: string): Promise<string | null> {
  const card = await readFile(join(folder, 'README.md'), 'utf8').catch(() => '');
  return /^---[\s\S]*?^license:\s*(\S.*?)\s*$[\s\S]*?^---/m.exec(card)?.[1] ?? null;
}

/** Reads config, weights' index and tokenizer. Throws StudioError or EngineError naming what does not fit. */
async function inspect(folder: string): Promise<Omit<BaseModel, 'id' | 'addedAt' | 'builtIn'>> {
  const facts = await factsOf(folder);
  await openTokenizer(facts.folder, { vocabularySize: facts.vocabularySize, architecture: facts.architecture });
  return facts;
}

/** What config and weights' index say. */
async function factsOf(folder: string): Promise<Omit<BaseModel, 'id' | 'addedAt' | 'builtIn'>> {
  const path = resolve(folder);
  const model = await openModel(path);
  return {
    name: basename(path),
    folder: path,
    architecture: model.architecture,
    parameters: model.totalParameters,
    layers: model.layers,
    hiddenSize: model.hiddenSize,
    vocabularySize: model.vocabularySize,
    maxLength: model.maxLength,
    bytes: model.bytes,
    license: await licenceOf(path),
  };
}

export async function addModel(
  context: Context,
  folder: string,
  name: string | undefined,
  builtIn = false,
): Promise<BaseModel> {
  const facts = await inspect(folder);
  const wanted = name ?? facts.name;
  const known = await models.listModels(context.database);
  const same = known.find((model) => model.folder === facts.folder);
  if (same && (name === undefined || same.name === name)) return same;
  if (known.some((model) => model.name === wanted))
    throw new StudioError(
      'conflict',
      `A base model named "${wanted}" is there already.`,
      'Give the new one another name.',
      { name: wanted },
    );
  const id = await models.insertModel(context.database, { ...facts, name: wanted, builtIn, addedAt: now() });
  changed(context, 'models');
  return models.getModel(context.database, id);
}

/**
 * The bundled starter stands in the list from the first start, and follows the app to where it is installed.
 * Later starts look at config and weights' index only: its tokenizer is opened by who uses it.
 */
export async function ensureStarter(context: Context): Promise<BaseModel> {
  const folder = join(context.assets, 'starter-model');
  const known = (await models.listModels(context.database)).find((model) => model.builtIn);
  if (!known) return addModel(context, folder, starterName, true);
  const found: BaseModel = { ...known, ...(await factsOf(folder)), name: known.name };
  if (JSON.stringify(found) === JSON.stringify(known)) return known;
  await models.updateModel(context.database, known.id, found);
  return models.getModel(context.database, known.id);
}

/** A model with a method as it would train on a data set's labels. */
async function plannedSetup(
  context: Context,
  {
    modelId,
    datasetId,
    method,
    verbalizer,
    refines,
  }: {
    modelId: number;
    datasetId: number | null;
    method: MethodSpec;
    verbalizer: boolean;
    refines: number | null;
  },
) {
  const model = await models.getModel(context.database, modelId);
  const dataset = datasetId === null ? null : await datasets.getDataset(context.database, datasetId);
  const objective = objectiveOn(model, dataset, verbalizer || searchesWording(method));
  if (refines === null) return { model: await openModel(model.folder), method, objective };
  const way = await wayOn(context, await runs.getRun(context.database, refines), method, undefined, objective);
  return { model: way.base, method: way.method, objective };
}

export function modelCalls(context: Context): Group {
  return {
    'models.list': () => models.listModels(context.database),
    'models.inspect': ({ folder }) => inspect(folder),
    'models.add': ({ folder, name }) => addModel(context, folder, name),
    'models.remove': async ({ id }) => {
      const model = await models.getModel(context.database, id);
      if (model.builtIn) throw new StudioError('conflict', 'The starter model comes with the app and stays.');
      const using = await runs.runsOf(context.database, 'model_id', id);
      if (using.length > 0)
        throw new StudioError(
          'conflict',
          `${using.length} runs use ${model.name}.`,
          'Delete these runs first. The folder itself is never touched.',
          { runs: using.length },
        );
      await models.deleteModel(context.database, id);
      changed(context, 'models');
      return { done: true };
    },
    'models.count': async (question) => {
      const setup = await plannedSetup(context, question);
      return { ...countParameters(setup), objective: setup.objective.type };
    },
    'models.map': async ({ stage, ...question }) =>
      mapParameters({ ...(await plannedSetup(context, question)), ...(stage === null ? {} : { stage }) }).map(
        (group) => ({
          ...group,
          modules: group.modules.map((module) => ({
            ...module,
            tensors: module.tensors.map((tensor) => ({ ...tensor, shape: [...tensor.shape] })),
          })),
        }),
      ),
  };
}
