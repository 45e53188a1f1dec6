/** General text that a run measures its base's own task on while it trains. */
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { architectureOf, missingOfLanguageModel, openModel, type BaseModelInfo } from '../engine/index.js';
import type { TrainTask } from '../trainer/protocol.js';
import { baseFolderOf } from './bases.js';
import { runFolder, type Context } from './context.js';
import { isThere } from './files.js';
import { mostWatched, writeGeneralText } from './general-text.js';

type Language = NonNullable<TrainTask['watch']>['objective'];

/** The language task of an architecture: tokens from those before them, or masked ones. */
export const languageOf = ({ architecture }: Pick<BaseModelInfo, 'architecture'>): Language =>
  architectureOf(architecture).reads === 'last' ? 'causal-lm' : 'masked-lm';

/** @throws StudioError 'bad-input' for a base whose own task cannot be measured */
export function requireLanguage(base: BaseModelInfo): void {
  const missing = missingOfLanguageModel(base);
  if (missing !== null)
    throw new StudioError(
      'bad-input',
      `model: the checkpoint has no language-model head (${missing} is missing), so how well it knew language cannot be measured.`,
      'Choose a base that was saved with it, such as the starter model or bert-base-uncased.',
      { path: 'model' },
    );
}

/** What a run's task has of it. The text is written into the run's folder once: a resumed run reads the same. */
export async function watchOf(
  context: Context,
  run: Pick<Run, 'id' | 'modelId' | 'datasetId' | 'plan'>,
): Promise<Pick<TrainTask, 'watch'>> {
  const { watch } = run.plan;
  if (!watch) return {};
  const folder = runFolder(context.home, run.id);
  const file = join(folder, 'general-text.jsonl');
  if (!(await isThere(file))) {
    await mkdir(folder, { recursive: true });
    // Whole or not at all: a kill must not leave a part of it.
    await writeGeneralText(context, watch.text, `${file}.part`, mostWatched);
    await rename(`${file}.part`, file);
  }
  return { watch: { file, objective: languageOf(await openModel(await baseFolderOf(context, run))) } };
}
