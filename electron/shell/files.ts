/** The calls that need the system's own windows: choosing a path and showing one in the file manager. */
import { dialog, shell, type BrowserWindow, type OpenDialogOptions } from 'electron';
import type { CallRequest, Handlers } from '../contract/calls.js';
import type { Grants } from './grants.js';
import { t } from './language.js';

type Kind = CallRequest<'files.choose'>['kind'];

const openOptions = (): Readonly<Record<Exclude<Kind, 'save'>, OpenDialogOptions>> => ({
  data: {
    title: t('Choose a data file'),
    properties: ['openFile'],
    filters: [
      { name: t('Data'), extensions: ['csv', 'tsv', 'json', 'jsonl', 'ndjson', 'parquet', 'txt'] },
      { name: t('All files'), extensions: ['*'] },
    ],
  },
  'model-folder': {
    title: t('Choose a model folder (config.json, tokenizer, safetensors)'),
    properties: ['openDirectory'],
  },
  folder: { title: t('Choose a folder'), properties: ['openDirectory', 'createDirectory'] },
  'plan-file': {
    title: t('Choose a plan or a study'),
    properties: ['openFile'],
    filters: [
      { name: t('Plan or study'), extensions: ['json'] },
      { name: t('All files'), extensions: ['*'] },
    ],
  },
  'project-file': {
    title: t('Choose a project file'),
    properties: ['openFile'],
    filters: [
      { name: t('PEFT Studio project'), extensions: ['peftproject', 'zip'] },
      { name: t('All files'), extensions: ['*'] },
    ],
  },
});

/** What the user chooses here is granted to the window until it closes. */
export function fileHandlers(
  grants: Grants,
  window: () => BrowserWindow | null,
): Pick<Handlers, 'files.choose' | 'files.show'> {
  return {
    'files.choose': async ({ kind, suggestedName }) => {
      const parent = window();
      if (parent === null) return { path: null };
      if (kind === 'save') {
        const { filePath } = await dialog.showSaveDialog(parent, { defaultPath: suggestedName });
        if (!filePath) return { path: null };
        grants.grant(filePath, 'file');
        return { path: filePath };
      }
      const [chosen] = (await dialog.showOpenDialog(parent, openOptions()[kind])).filePaths;
      if (chosen === undefined) return { path: null };
      grants.grant(chosen, kind === 'folder' || kind === 'model-folder' ? 'folder' : 'file');
      return { path: chosen };
    },
    'files.show': async ({ path }) => {
      grants.checkShow(path);
      shell.showItemInFolder(path);
      return { done: true };
    },
  };
}
