/** What is kept of the draft of a plan. */
import { z } from 'zod';
import { deviceSchema, trainingSchema, verbalizerSchema } from '../../../electron/contract/index.js';
import type { Kept } from '../../state/kept.svelte.js';
import type { PlanDraft } from './draft.svelte.js';

const savedSchema = z.object({
  modelId: z.number().nullable(),
  datasetId: z.number().nullable(),
  device: deviceSchema,
  seedText: z.string(),
  training: trainingSchema,
  verbalizer: verbalizerSchema.nullable(),
  shown: z.string(),
  methods: z.array(
    z.tuple([
      z.string(),
      z.object({ selected: z.boolean(), options: z.record(z.string(), z.unknown()), learningRate: z.number() }),
    ]),
  ),
});

/** @param key the project's number, and the run's of which a further round is planned: "3/12" */
export const keptPlan = (draft: PlanDraft, key: string): Kept<z.infer<typeof savedSchema>> => ({
  key: `plan ${key}`,
  schema: savedSchema,
  read: () => {
    const { modelId, datasetId, device, seedText, training, verbalizer, shown, methods } = draft;
    return {
      ...$state.snapshot({ modelId, datasetId, device, seedText, training, verbalizer, shown }),
      methods: [...methods],
    };
  },
  take: ({ methods, ...saved }) => {
    Object.assign(draft, saved);
    for (const [type, method] of methods) draft.methods.set(type, method);
  },
});
