/** The app itself: settings, updates, devices, jobs, files of the user's dialogs. */
import { z } from 'zod';
import * as e from '../entities.js';
import { changeOf } from '../plan.js';
import { call, done, none } from './call.js';

export const appCalls = {
  'app.info': call(
    none,
    z.object({
      version: z.string(),
      home: z.string(),
      platform: z.string(),
      threads: z.number(),
      memoryBytes: z.number(),
      freeMemoryBytes: z.number(),
      diskFreeBytes: z.number(),
      usedBytes: z.number(),
      runtimeVersions: z.record(z.string(), z.string()),
      /** Licence texts of everything in an installed app; null in a checkout. */
      licencesFolder: z.string().nullable(),
      /** A notice to show once at start: a database kept aside, runs found interrupted. */
      notices: z.array(z.object({ severity: z.enum(['info', 'warn', 'bad']), text: z.string() })),
    }),
  ),
  /** The diagnostic report as Markdown, with no names, texts and paths of the user's; and the folder of the log. */
  'app.diagnose': call(none, z.object({ text: z.string(), logFolder: z.string() })),
  'settings.get': call(none, e.settingsSchema),
  'settings.set': call(changeOf(e.settingsSchema), e.settingsSchema),
  /** Newer versions of the app. Each is refused with the reason where this copy does not update itself, and while a run is going. */
  'updates.get': call(none, e.updateSchema),
  'updates.check': call(none, e.updateSchema),
  'updates.download': call(none, e.updateSchema),
  /** Ends the app, exchanges it and starts the new version. */
  'updates.install': call(none, done),
  /** Opens the system's dialog; the answer's path is granted to this window until it closes. */
  'files.choose': call(
    z.strictObject({
      kind: z.enum(['data', 'model-folder', 'folder', 'save', 'project-file', 'plan-file']),
      suggestedName: z.string().optional(),
    }),
    z.object({ path: z.string().nullable() }),
  ),
  'files.show': call(z.strictObject({ path: z.string() }), done),
  'devices.list': call(none, z.array(e.deviceReportSchema)),
  'devices.test': call(none, z.array(e.deviceReportSchema)),
  'jobs.list': call(none, z.array(e.jobSchema)),
  'jobs.cancel': call(z.strictObject({ jobId: z.string() }), done),
  /** Writes a chart or table that the window drew to a path the user chose. */
  'files.write': call(
    z.strictObject({
      path: z.string(),
      text: z.string().max(50_000_000).optional(),
      base64: z.string().max(100_000_000).optional(),
    }),
    done,
  ),
} as const;
