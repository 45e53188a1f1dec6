/** Drafts of plans outlive their screen, the window and a crash: each change is kept in the window's own storage. */
import { z } from 'zod';
import { deviceSchema, trainingSchema, verbalizerSchema } from '../../../electron/contract/index.js';
import type { PlanDraft } from './draft.svelte.js';

/** Typing is kept when it rests. */
const MILLISECONDS_AT_REST = 300;

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

const keyOf = (key: string) => `plan ${key}`;

/** Takes up what was kept of a draft; what an older app kept in another form is left aside. */
export function restoreDraft(draft: PlanDraft, key: string): void {
  const text = globalThis.localStorage?.getItem(keyOf(key));
  if (text == null) return;
  try {
    const { methods, ...saved } = savedSchema.parse(JSON.parse(text));
    Object.assign(draft, saved);
    for (const [type, method] of methods) draft.methods.set(type, method);
  } catch {
    globalThis.localStorage.removeItem(keyOf(key));
  }
}

/** A draft as it is kept: reads all of it. */
export function textOf({
  modelId,
  datasetId,
  device,
  seedText,
  training,
  verbalizer,
  shown,
  methods,
}: PlanDraft): string {
  const plain = $state.snapshot({ modelId, datasetId, device, seedText, training, verbalizer, shown });
  return JSON.stringify({ ...plain, methods: [...methods] });
}

export function storeDraft(text: string, key: string): void {
  // A full storage loses the draft at the window's end, and nothing else.
  try {
    globalThis.localStorage?.setItem(keyOf(key), text);
  } catch {}
}

/** Restores a draft, and keeps it from then on, as long as the window lives. */
export function keepDraft(draft: PlanDraft, key: string): void {
  restoreDraft(draft, key);
  $effect.root(() => {
    $effect(() => {
      const text = textOf(draft);
      const timer = setTimeout(() => storeDraft(text, key), MILLISECONDS_AT_REST);
      return () => clearTimeout(timer);
    });
  });
}
