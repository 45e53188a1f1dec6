/** AdapterHub's folders: a run's adapter with its head, or a composition of several. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { describeHead, hubSetupOf, readerOf, validateMethod, type BaseModelInfo } from '../engine/index.js';
import { readHubAdapter, readHubHead, writeHubAdapter, writeHubHead } from './adapterhub-parts.js';
import { exportHubSetup } from './adapterhub-setup.js';
import { adapterHubCard } from './cards.js';
import { splitHead } from './targets.js';
import { objectiveOf, type ExportSource, type LoadedFolder } from './types.js';

/** Writes an adapter's run, or a composition. @throws StudioError `bad-input` for a method that the library does not have */
export async function exportAdapterHub(source: ExportSource, folder: string): Promise<void> {
  const { model, method, verbalizer, parameters } = source;
  if (!source.labels && source.problem !== 'regression')
    throw new StudioError(
      'bad-input',
      "AdapterHub's folders here hold classifiers; this run learned to write text.",
      "Export it as a peft adapter, merged, or in the studio's own format.",
    );
  if (verbalizer)
    throw new StudioError(
      'bad-input',
      "AdapterHub's folders hold an adapter with its head; a run with a verbalizer has none.",
      "Export it in the studio's own format.",
    );
  if (hubSetupOf(method)) return exportHubSetup(source, folder);
  const options = validateMethod(readerOf({ model, method, objective: objectiveOf(model, source) }, parameters));
  const { adapter, head } = splitHead(model, parameters);
  const { title, note } = await writeHubAdapter({ model, method: options, parameters: adapter }, folder);
  await writeHubHead(source, head, folder);
  const { classifierClass } = describeHead(model);
  await writeFile(
    join(folder, 'README.md'),
    adapterHubCard({ ...source, classifierClass, method: title, note: note ?? null }),
  );
}

/**
 * Reads adapter and head against their base.
 * @throws StudioError `bad-file` for pickled weights only, another architecture, and options that this program does not compute
 */
export async function readAdapterHub(folder: string, model: BaseModelInfo): Promise<LoadedFolder> {
  const { method, parameters } = await readHubAdapter(folder, model);
  const { head, labels, problem } = await readHubHead(folder);
  return { kind: 'adapterhub', parameters: new Map([...parameters, ...head]), labels, problem, method };
}
