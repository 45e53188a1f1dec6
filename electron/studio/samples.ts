/** The bundled sample data: what there is, and how it comes into a project. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Handlers } from '../contract/calls.js';
import { generationColumnsSchema, importRequestSchema, sampleSchema } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { isDecoder } from '../engine/index.js';
import { models, projects } from '../storage/index.js';
import type { Context } from './context.js';
import { importDataset } from './datasets.js';

const file = { ...sampleSchema.omit({ task: true, ready: true }).shape, file: z.string(), splitColumn: z.string() };
const samplesSchema = z.object({
  samples: z.array(
    z.discriminatedUnion('task', [
      z.object({ task: z.literal('classification'), ...file, textColumn: z.string(), labelColumn: z.string() }),
      z.object({ task: z.literal('generation'), ...file, columns: generationColumnsSchema }),
    ]),
  ),
});
type BundledSample = z.infer<typeof samplesSchema>['samples'][number];

const folderOf = (context: Context) => join(context.assets, 'samples');

async function readSamples(context: Context): Promise<readonly BundledSample[]> {
  return samplesSchema.parse(JSON.parse(await readFile(join(folderOf(context), 'samples.json'), 'utf8'))).samples;
}

/** A sample by its id; null for the first. @throws StudioError `not-found` */
export async function findSample(context: Context, id: string | null): Promise<BundledSample> {
  const samples = await readSamples(context);
  const found = id === null ? samples[0] : samples.find((sample) => sample.id === id);
  if (found) return found;
  throw new StudioError(
    'not-found',
    `There is no sample "${id}".`,
    `Known: ${samples.map((sample) => sample.id).join(', ')}.`,
  );
}

/** Imports a sample under its own name. @throws StudioError `conflict` where the project has it already */
export async function importSample(context: Context, projectId: number, sample: BundledSample): Promise<void> {
  const columns =
    sample.task === 'classification'
      ? { textColumn: sample.textColumn, labelColumn: sample.labelColumn }
      : { columns: sample.columns };
  const request = importRequestSchema.parse({
    task: sample.task,
    projectId,
    name: sample.id,
    path: join(folderOf(context), sample.file),
    splitColumn: sample.splitColumn,
    validation: null,
    test: null,
    ...columns,
  });
  await importDataset(context, request, null);
}

export function sampleCalls(context: Context): Pick<Handlers, 'samples.list' | 'samples.import'> {
  return {
    'samples.list': async () => {
      const decoder = (await models.listModels(context.database)).some(isDecoder);
      return (await readSamples(context)).map(({ id, title, description, task, rows }) => ({
        id,
        title,
        description,
        task,
        rows,
        ready: task === 'classification' || decoder,
      }));
    },
    'samples.import': async ({ projectId, sample }) => {
      await projects.getProject(context.database, projectId);
      await importSample(context, projectId, await findSample(context, sample));
      return { done: true };
    },
  };
}
