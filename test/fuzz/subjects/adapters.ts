/** Folders of adapters of every kind, as `--init` and compositions take them. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openModel, type BaseModelInfo } from '../../../electron/engine/index.js';
import { exportFolder, loadAdapter } from '../../../electron/interchange/index.js';
import { makeTinyModel } from '../../helpers/tiny-model.js';
import type { Subject } from '../subject.js';
import { filesOf, headOf, oracle } from './models.js';

const bases = ['bert', 'roberta', 'distilbert'];
let opened: readonly BaseModelInfo[] = [];

export const adapterSubject: Subject = {
  name: 'adapter',
  share: 12,
  async seeds(work) {
    const tiny = await openModel(
      await makeTinyModel(join(work, 'tiny'), { layers: 1, hiddenSize: 8, intermediateSize: 8 }),
    );
    opened = [tiny, ...(await Promise.all(bases.map((name) => openModel(oracle('models', name)))))];
    const source = {
      model: tiny,
      method: { type: 'head' },
      labels: ['a', 'b'],
      parameters: await headOf(tiny),
      maxLength: 8,
    };
    for (const format of ['studio', 'merged'] as const) await exportFolder(format, source, join(work, format));
    const folders = await readdir(oracle('formats'), { withFileTypes: true });
    const files = await Promise.all(
      folders.filter((entry) => entry.isDirectory()).map(({ name }) => filesOf(oracle('formats', name))),
    );
    const own = await Promise.all(['studio', 'merged'].map((name) => filesOf(join(work, name))));
    // Weights that Python pickled are refused unread; they must not push the rest aside.
    return [...own, ...files]
      .map((set) => new Map([...set].filter(([name]) => !/\.bin$|README|tokenizer|vocab/.test(name))))
      .filter((set) => [...set.keys()].some((name) => name.endsWith('.safetensors')));
  },
  async read(folder) {
    let refused: unknown = null;
    let read = false;
    for (const base of opened)
      await loadAdapter(join(folder), base).then(
        () => {
          read = true;
        },
        (error: unknown) => {
          // What is no typed refusal is told even where another base took the folder.
          if (refused === null || !(refused instanceof Error && 'hint' in refused)) refused = error;
          if (!(error instanceof Error && 'hint' in error)) throw error;
        },
      );
    if (!read) throw refused;
  },
};
