/** Studies and the advice drawn from them. */
import { z } from 'zod';
import * as e from '../entities.js';
import { studySchema } from '../study.js';
import { call, done, id, job, none, removal } from './call.js';

export const studiesCalls = {
  'studies.kinds': call(none, z.array(e.studyKindInfoSchema)),
  'studies.list': call(z.strictObject({ projectId: id }), z.array(e.studyRowSchema)),
  'studies.get': call(z.strictObject({ id }), e.studyRowSchema),
  /** The whole study with its defaults, and what it would run; refuses what cannot be run, naming the key. */
  'studies.check': call(z.strictObject({ projectId: id, study: studySchema }), e.studyOutlineSchema),
  /** `goOn`: the newest study of this very plan in the project goes on, or is given back where it is finished, instead of a new one. */
  'studies.start': call(
    z.strictObject({ projectId: id, study: studySchema, goOn: z.boolean().default(false) }),
    e.studyRowSchema,
  ),
  /** The run under way writes a checkpoint and stops. */
  'studies.pause': call(z.strictObject({ id }), e.studyRowSchema),
  'studies.resume': call(z.strictObject({ id }), e.studyRowSchema),
  'studies.cancel': call(z.strictObject({ id }), e.studyRowSchema),
  'studies.rename': call(z.strictObject({ id, name: z.string().min(1).max(200) }), e.studyRowSchema),
  'studies.removal': call(z.strictObject({ id, runs: z.boolean().default(false) }), removal),
  /** `runs`: with the runs it made; else these stay in the project as runs of their own. */
  'studies.remove': call(z.strictObject({ id, runs: z.boolean().default(false) }), done),
  /** The same plan again, from the start, as another study. */
  'studies.repeat': call(z.strictObject({ id }), e.studyRowSchema),
  'studies.runs': call(z.strictObject({ id }), z.array(e.studyRunSchema)),
  /** The report, or while the study is not finished what its finished runs say so far (`whole` false). */
  'studies.report': call(z.strictObject({ id }), z.object({ whole: z.boolean(), report: e.reportSchema })),
  /** Writes it to a file of that format; the job's result names the file and says whether the study was finished. */
  'studies.exportReport': call(z.strictObject({ id, format: e.reportFormatSchema, path: z.string().min(1) }), job),
  /** What to ship under limits, by the finished studies of the project. */
  'advice.ask': call(e.adviceRequestSchema.extend({ projectId: id }), e.adviceSchema),
} as const;
