/** How a task's texts become tokens and its answers labels: by a head, or by a verbalizer's prompt and words. */
import type { FullVerbalizer } from '../contract/verbalizer.js';
import { openVerbalizer, type RowEncoder, type RowReading, type TextTokenizer } from '../data/index.js';
import { architectureOf, type BaseModelInfo, type ObjectiveSpec } from '../engine/index.js';

export interface TaskReading {
  readonly encoder: RowEncoder;
  /** null without a verbalizer. */
  readonly reading: RowReading | null;
  readonly objective: Extract<ObjectiveSpec, { type: 'classification' }>;
}

export interface ReadTask {
  readonly labels: readonly string[];
  readonly verbalizer?: FullVerbalizer | null | undefined;
}

/** @throws StudioError `bad-input` for words that the tokenizer cannot spell */
export async function readingOf(
  { labels, verbalizer: plan }: ReadTask,
  tokenizer: TextTokenizer,
  model: Pick<BaseModelInfo, 'architecture'>,
): Promise<TaskReading> {
  if (!plan) return { encoder: tokenizer, reading: null, objective: { type: 'classification', labels } };
  const decoder = architectureOf(model.architecture).reads === 'last';
  const verbalizer = await openVerbalizer(tokenizer, plan, { labels, decoder });
  return {
    encoder: verbalizer,
    reading: verbalizer.reading,
    objective: { type: 'classification', labels, verbalizer: verbalizer.spec },
  };
}
