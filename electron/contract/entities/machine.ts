/** The machine and the app: devices, settings, jobs. */
import { z } from 'zod';
import { problemSchema } from '../errors.js';
import { languages } from '../languages.js';
import { deviceIdSchema, deviceSchema } from '../plan.js';
import { count, nullable } from './common.js';

/** What a device's self-test found. */
export const testedDeviceSchema = z.object({
  id: deviceIdSchema,
  status: z.enum(['passed', 'failed', 'unavailable']),
  /** Largest relative difference of training steps' losses, gradient norms and logits from the CPU's. */
  difference: nullable(count),
  /** Of a LoRA step that is the same on every device; null where it was not measured to its end. */
  secondsPerStep: nullable(count),
  /** Why the device is not offered, or why it passed and was not timed. */
  reason: nullable(z.string()),
  testedAt: z.string(),
});
export type TestedDevice = z.infer<typeof testedDeviceSchema>;
export const deviceReportSchema = z.object({
  ...testedDeviceSchema.shape,
  title: z.string(),
  status: z.enum([...testedDeviceSchema.shape.status.options, 'untested', 'testing']),
  testedAt: nullable(z.string()),
  /** Whether a plan that leaves its device to the settings trains here. */
  inUse: z.boolean(),
});
export type DeviceReport = z.infer<typeof deviceReportSchema>;

export const settingsSchema = z.object({
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  /** Of the window, its menu and dialogs. */
  language: z.enum(['system', ...languages]).default('system'),
  device: deviceSchema.default('auto'),
  threads: z.int().min(1).max(256).nullable().default(null),
  memoryLimitBytes: z.number().positive().nullable().default(null),
  density: z.enum(['compact', 'normal', 'comfortable']).default('normal'),
  onClose: z.enum(['ask', 'continue', 'pause']).default('ask'),
  /** Whether the system tells the end of a run or a study while the window is not in front. */
  notifications: z.boolean().default(true),
  /** Whether the computer is kept awake while a run trains. */
  preventSleep: z.boolean().default(true),
  /** Whether the app looks for new versions by itself. */
  updates: z.enum(['daily', 'never']).default('daily'),
});
export type Settings = z.infer<typeof settingsSchema>;

/** What is known of newer versions of the app. */
export const updateSchema = z.object({
  /** Why this copy does not update itself; null where it does. */
  reason: nullable(z.string()),
  state: z.enum(['idle', 'checking', 'current', 'available', 'downloading', 'ready', 'failed']),
  /** The newer version. */
  version: nullable(z.string()),
  /** How much of it is loaded, from 0 to 1. */
  share: nullable(z.number()),
  checkedAt: nullable(z.string()),
  problem: nullable(problemSchema),
});
export type Update = z.infer<typeof updateSchema>;

export const jobSchema = z.object({
  id: z.string(),
  kind: z.enum([
    'import',
    'profile',
    'export',
    'merge-check',
    'predict-file',
    'device-test',
    'project-export',
    'project-import',
    'pretrain',
    'estimate',
    'generate',
    'take-further',
    'take-back',
  ]),
  title: z.string(),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  done: count,
  total: nullable(count),
  message: z.string(),
  secondsLeft: nullable(count),
  result: z.unknown().optional(),
  problem: nullable(problemSchema),
});
export type Job = z.infer<typeof jobSchema>;
