/** Recognizes and reads an exported folder: what `--init` starts from. */
import { join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '../contract/errors.js';
import type { BaseModelInfo } from '../engine/index.js';
import { readAdapterHub } from './adapterhub.js';
import { isAdapterHubFolder } from './adapterhub-parts.js';
import { isHubSetup, readHubSetup } from './adapterhub-setup.js';
import { namesIn, readJson } from './files.js';
import { readMerged } from './merged.js';
import { isPeftFolder, readPeft } from './peft.js';
import { isStudioFolder, readStudio } from './studio-format.js';
import type { LoadedFolder } from './types.js';

/**
 * Reads a folder of peft, AdapterHub or the studio, or a merged one, for a base model.
 * @throws StudioError `bad-file` if it is none of these or does not fit the base; EngineError `bad-file` for damaged weights
 */
export async function loadAdapter(folder: string, model: BaseModelInfo): Promise<LoadedFolder> {
  const names = await namesIn(folder);
  if (isStudioFolder(names)) return readStudio(folder, model);
  if (isHubSetup(names)) return readHubSetup(folder, model);
  if (names.has('adapter_config.json')) {
    const path = join(folder, 'adapter_config.json');
    const config = await readJson(path, z.looseObject({}));
    if (isPeftFolder(names, config)) return readPeft(folder, model);
    if (isAdapterHubFolder(names, config)) return readAdapterHub(folder, model);
    throw new StudioError(
      'bad-file',
      `${path} is neither peft's nor AdapterHub's.`,
      'Choose a folder that one of them, or this program, saved.',
      { file: path },
    );
  }
  if (names.has('config.json')) return readMerged(folder, model);
  throw new StudioError(
    'bad-file',
    `${folder} holds neither adapter.json, adapter_config.json, adapter_setup.json nor config.json.`,
    'Choose an exported adapter or model folder.',
    { file: folder },
  );
}
