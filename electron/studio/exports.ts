/** Exports: written beside, proved against the live run, and only then given their name. */
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { alike } from '../contract/answer-words.js';
import type { Handlers } from '../contract/calls.js';
import type { Artefact, ExportFormat, Run } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { answeringByWords } from '../contract/verbalizer.js';
import { hubSetupOf, listMethods, openModel, readSafetensors, whyUnmergeable } from '../engine/index.js';
import { addBase, exportFolder as writeExport, headOf } from '../interchange/index.js';
import { datasets, models, records, runs } from '../storage/index.js';
import { marks, trainedFileName } from '../trainer/protocol.js';
import { baseFolderOf, standsOn } from './bases.js';
import { workApart } from './apart.js';
import { changed, now, runFolder, type Context } from './context.js';
import { materialize } from './datasets.js';
import { bytesBelow, makeFolder, requireSpace } from './files.js';
import type { JobHandle } from './jobs.js';
import { learnedObjective } from './objective.js';
import { requireFinished, servedRun } from './served.js';

type Group = Pick<Handlers, 'exports.formats' | 'exports.start' | 'exports.list'>;

/** They hold no base: of a further round it goes along. */
const adapterFormats: ReadonlySet<ExportFormat> = new Set(['peft', 'adapterhub', 'studio']);

/** Tokenizer, settings and card of an export, in bytes. */
const SMALL_FILES = 2 * 2 ** 20;

const formatNames: Readonly<Record<ExportFormat, string>> = {
  peft: 'peft adapter',
  adapterhub: 'AdapterHub adapter',
  studio: 'PEFT Studio adapter',
  merged: 'merged model',
  onnx: 'ONNX model',
};

const isLanguage = ({ plan: { objective } }: Run) => objective === 'causal-lm' || objective === 'masked-lm';

function requireFormat(run: Run, format: ExportFormat): void {
  const language = isLanguage(run);
  if ((run.plan.verbalizer || language) && !answeringByWords.has(format))
    throw new StudioError(
      'bad-input',
      `A run that ${language ? 'is a language model' : 'answers by a verbalizer'} cannot be exported as ${formatNames[format]}: it has no head.`,
      `It can be exported as: ${[...answeringByWords].map((name) => formatNames[name]).join(', ')}.`,
      { format },
    );
  if (format === 'adapterhub' && marks({ type: run.plan.objective }))
    throw new StudioError(
      'bad-input',
      'The AdapterHub format here holds adapters with a head that classifies; this run marks parts of a text.',
      "Export it as a peft adapter, merged, as ONNX, or in the studio's own format.",
      { format },
    );
  const method = listMethods().find(({ type }) => type === run.plan.method.type);
  if (!method?.exports.includes(format))
    throw new StudioError(
      'bad-input',
      `${run.methodName} cannot be exported as ${formatNames[format]}.`,
      `It can be exported as: ${(method?.exports ?? []).map((name) => formatNames[name]).join(', ')}.`,
      { format },
    );
}

async function exportRun(
  context: Context,
  run: Run,
  format: ExportFormat,
  target: string,
  handle: JobHandle,
): Promise<Artefact> {
  const { database } = context;
  const folder = resolve(target);
  const model = await models.getModel(database, run.modelId);
  const dataset = await datasets.getDataset(database, run.datasetId);
  handle.progress(0, 3, 'Reading the trained parameters');
  const { tensors } = await readSafetensors(join(runFolder(context.home, run.id), trainedFileName));
  const wording = run.result?.wording;
  const numbers =
    format === 'merged' || format === 'onnx'
      ? model.parameters
      : [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
  await requireSpace(folder, numbers * 4, 'The export', SMALL_FILES);
  let proof: Artefact['proof'] = { rows: 0, largestDifference: 0, sameLabels: false };
  const base = await baseFolderOf(context, run);
  const former = adapterFormats.has(format) ? await standsOn(context, run) : null;
  if (former)
    await requireSpace(folder, await bytesBelow(base), 'The export with the model that it stands on', SMALL_FILES);
  await makeFolder(context.presence, folder, async (temporary) => {
    handle.progress(1, 3, 'Writing');
    await writeExport(
      format,
      {
        model: await openModel(base),
        method: run.plan.method,
        ...headOf(learnedObjective(run.plan, dataset)),
        ...(wording === undefined ? { parameters: tensors } : { parameters: new Map(), wording }),
        maxLength: run.plan.training.maxLength,
      },
      temporary,
    );
    if (former) await addBase(temporary, base, `run ${former.id}`);
    handle.progress(2, 3, 'Proving it against the live run');
    proof = await prove(context, run, format, temporary, handle);
  });
  const bytes = await bytesBelow(folder);
  const artefact = { runId: run.id, format, folder, bytes, createdAt: now(), proof };
  const id = await records.insertArtefact(database, artefact).catch(async (error: unknown) => {
    // Told as failed, so it must not be found there either.
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  changed(context, 'exports', run.projectId);
  return { id, ...artefact };
}

/** Runs rows through the reloaded export and the live run. Throws StudioError 'internal' where they differ. */
async function prove(
  context: Context,
  run: Run,
  format: ExportFormat,
  folder: string,
  handle: JobHandle,
): Promise<Artefact['proof']> {
  const files = await materialize(context, await datasets.getDataset(context.database, run.datasetId));
  const model = await servedRun(context, run);
  const rowsFile = files.test ?? files.validation ?? files.train ?? '';
  const { rows, largestDifference, sameLabels } = await workApart<'prove-export'>(
    context,
    { type: 'prove-export', format, folder, model, rowsFile },
    handle,
  );
  if (largestDifference > alike || !sameLabels)
    throw new StudioError(
      'internal',
      `The export answers differently from the run: its logits differ by up to ${largestDifference.toPrecision(2)} on ${rows} rows. Nothing was kept.`,
      'Please report this with the log.',
      { rows, largestDifference },
    );
  return { rows, largestDifference, sameLabels };
}

export function exportCalls(context: Context): Group {
  return {
    'exports.formats': async ({ runId }) => {
      const run = await runs.getRun(context.database, runId);
      const method = listMethods().find(({ type }) => type === run.plan.method.type);
      const info = await openModel(await baseFolderOf(context, run));
      return (method?.exports ?? []).map((format) => ({
        format,
        reason:
          format === 'merged'
            ? whyUnmergeable(info, run.plan.method)
            : format === 'adapterhub'
              ? (hubSetupOf(run.plan.method)?.reason ?? null)
              : null,
      }));
    },
    'exports.start': async ({ runId, format, folder }) => {
      const run = await runs.getRun(context.database, runId);
      requireFinished(run);
      requireFormat(run, format);
      return context.jobs.start('export', `Export run ${runId} as ${formatNames[format]}`, (handle) =>
        exportRun(context, run, format, folder, handle),
      );
    },
    'exports.list': ({ projectId }) => records.listArtefacts(context.database, projectId),
  };
}
