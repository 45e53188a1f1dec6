/** What is kept of the draft of a study. */
import { z } from 'zod';
import {
  changeOf,
  deviceSchema,
  methodSchema,
  studyKindSchema,
  trainingSchema,
} from '../../../electron/contract/index.js';
import type { Kept } from '../../state/kept.svelte.js';
import type { StudyDraft } from './draft.svelte.js';

/** The file of general text is not kept: the window may read only what was chosen since it opened. */
const savedSchema = z.object({
  kind: studyKindSchema,
  name: z.string(),
  modelId: z.number().nullable(),
  chosenData: z.array(z.number()).readonly().nullable(),
  methods: z.array(methodSchema).readonly(),
  seedText: z.string(),
  sizeText: z.string(),
  rateText: z.string(),
  zone: z.number(),
  training: changeOf(trainingSchema),
  device: deviceSchema,
});

export const keptStudy = (draft: StudyDraft, projectId: number): Kept<z.infer<typeof savedSchema>> => ({
  key: `study ${projectId}`,
  schema: savedSchema,
  read: () => {
    const { kind, name, modelId, chosenData, methods, seedText, sizeText, rateText, zone, training, device } = draft;
    return { kind, name, modelId, chosenData, methods, seedText, sizeText, rateText, zone, training, device };
  },
  take: (saved) => void Object.assign(draft, saved),
});
