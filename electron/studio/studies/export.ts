/** A study's report as a file: written beside, then given its name. */
import { stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Handlers } from '../../contract/calls.js';
import { namingFile } from '../../contract/problem-of.js';
import { listMethods } from '../../engine/index.js';
import { studies } from '../../storage/index.js';
import type { Context } from '../context.js';
import { replaceFile } from '../files.js';
import { throwIfAborted } from '../jobs.js';

/** `read` gives the report as it is told to the window. */
export const reportExport =
  (context: Context, read: Handlers['studies.report']): Handlers['studies.exportReport'] =>
  async ({ id, format, path }) => {
    const { name } = await studies.getStudy(context.database, id);
    const target = resolve(path);
    return context.jobs.start(
      'export',
      `Report of ${name} as ${format.toUpperCase()}`,
      async ({ progress, signal }) => {
        progress(0, 2, 'Reading the runs');
        const { whole, report } = await read({ id });
        const told = whole ? report : { ...report, title: `${report.title} (not finished)` };
        progress(1, 2, 'Writing the file');
        const looks = (type: string) => listMethods().find((method) => method.type === type) ?? null;
        const { reportFile } = await import('../../report/index.js');
        const content = await reportFile(told, format, looks);
        throwIfAborted(signal);
        await replaceFile(context.presence, target, (part) => writeFile(part, content).catch(namingFile(target)));
        return { path: target, bytes: (await stat(target)).size, whole };
      },
    );
  };
