/** The app itself: facts about it, its settings, jobs, methods, and files that the window drew. */
import { rename, writeFile } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { z } from 'zod';
import type { Handlers } from '../contract/calls.js';
import { settingsSchema, type MethodInfo } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { listMethods, runtimeIdentity, validateMethod } from '../engine/index.js';
import { records } from '../storage/index.js';
import { changed, type Context } from './context.js';
import { diagnosticReport } from './log/index.js';
import { bytesOfHome, freeBytes } from './files.js';

type Group = Pick<
  Handlers,
  | 'app.info'
  | 'app.diagnose'
  | 'settings.get'
  | 'settings.set'
  | 'methods.list'
  | 'jobs.list'
  | 'jobs.cancel'
  | 'files.write'
>;
type Notice = Awaited<ReturnType<Handlers['app.info']>>['notices'][number];

function methodInfos(): MethodInfo[] {
  return listMethods().map(
    ({ type, title, family, marker, colour, summary, help, learningRate, searches, exports, options }) => ({
      type,
      title,
      family,
      marker,
      colour,
      summary,
      help,
      learningRate,
      searches,
      exports: [...exports],
      optionsSchema: z
        .record(z.string(), z.unknown())
        .parse(z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' })),
      // What composes has no setting without the runs that it is made of.
      defaults: family === 'composition' ? { type } : { ...validateMethod({ type }) },
    }),
  );
}

export interface Build {
  readonly version: string;
  readonly licencesFolder: string | null;
}

export function appCalls(context: Context, build: Build, notices: Notice[]): Group {
  const { database, home } = context;
  return {
    'app.info': async () => ({
      ...build,
      home,
      platform: process.platform,
      threads: availableParallelism(),
      memoryBytes: totalmem(),
      freeMemoryBytes: freemem(),
      diskFreeBytes: await freeBytes(home),
      usedBytes: await bytesOfHome(home),
      runtimeVersions: {
        ...Object.fromEntries(
          Object.entries(process.versions).flatMap(([name, value]) =>
            value && ['node', 'electron', 'chrome'].includes(name) ? [[name, value]] : [],
          ),
        ),
        'ONNX Runtime': runtimeIdentity().version,
      },
      // Shown once.
      notices: notices.splice(0),
    }),
    'app.diagnose': async () => ({
      text: await diagnosticReport(context, { version: build.version, devices: await context.devices.list() }),
      logFolder: context.log.folder,
    }),
    'settings.get': () => records.readSettings(database),
    'settings.set': async (change) => {
      const settings = settingsSchema.parse({ ...(await records.readSettings(database)), ...change });
      await records.writeSettings(database, settings);
      changed(context, 'settings');
      return settings;
    },
    'methods.list': async () => methodInfos(),
    'jobs.list': async () => context.jobs.list(),
    'jobs.cancel': async ({ jobId }) => {
      context.jobs.cancel(jobId);
      return { done: true };
    },
    'files.write': async ({ path, text, base64 }) => {
      if ((text === undefined) === (base64 === undefined))
        throw new StudioError('bad-input', 'files.write takes either text or base64.');
      await writeFile(`${path}.part`, text ?? Buffer.from(base64 ?? '', 'base64'));
      await rename(`${path}.part`, path);
      return { done: true };
    },
  };
}
