/** A study's report as a file: written beside, then given its name. */
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Handlers } from '../../contract/calls.js';
import { listMethods } from '../../engine/index.js';
import { studies } from '../../storage/index.js';
import type { Context } from '../context.js';
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
        const part = `${target}.part`;
        try {
          await writeFile(part, content);
          await rename(part, target);
        } catch (error) {
          await rm(part, { force: true });
          throw error;
        }
        return { path: target, bytes: (await stat(target)).size, whole };
      },
    );
  };
