/** Projects and the samples that fill them. */
import { z } from 'zod';
import * as e from '../entities.js';
import { call, done, id, job, none, removal } from './call.js';

export const projectsCalls = {
  'projects.list': call(z.strictObject({ archived: z.boolean().default(false) }), z.array(e.projectSchema)),
  'projects.get': call(z.strictObject({ id }), e.projectSchema),
  /** A project by its name, archived or not, without the sizes and scores that a list shows. */
  'projects.find': call(z.strictObject({ name: z.string() }), z.object({ id }).nullable()),
  'projects.create': call(
    z.strictObject({ name: z.string().min(1).max(200), description: z.string().max(2000).default('') }),
    e.projectSchema,
  ),
  /** Project on bundled sample data, ready to train; without a name the first sample's, on the starter model. */
  'projects.createSample': call(z.strictObject({ sample: z.string().nullable().default(null) }), e.projectSchema),
  'samples.list': call(none, z.array(e.sampleSchema)),
  /** Brings a sample into a project as a data set of its name. */
  'samples.import': call(z.strictObject({ projectId: id, sample: z.string() }), done),
  'projects.update': call(
    z.strictObject({
      id,
      name: z.string().min(1).max(200).optional(),
      description: z.string().max(2000).optional(),
      archived: z.boolean().optional(),
    }),
    e.projectSchema,
  ),
  'projects.duplicate': call(z.strictObject({ id, name: z.string().min(1).max(200) }), e.projectSchema),
  /** What would go: shown before `projects.remove`. */
  'projects.removal': call(z.strictObject({ id }), removal),
  'projects.remove': call(z.strictObject({ id }), done),
  'projects.export': call(z.strictObject({ id, path: z.string() }), job),
  'projects.import': call(z.strictObject({ path: z.string() }), job),
} as const;
