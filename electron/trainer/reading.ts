/** How a task's texts become tokens and its answers labels: by a head, or by a verbalizer's prompt and words. */
import type { FullVerbalizer } from '../contract/verbalizer.js';
import { openVerbalizer, type RowEncoder, type RowReading, type TextTokenizer } from '../data/index.js';
import { classesOf, type ServedModel } from './protocol.js';
import { isDecoder, type BaseModelInfo, type ObjectiveSpec } from '../engine/index.js';

export interface TaskReading<O extends ObjectiveSpec = ObjectiveSpec> {
  readonly encoder: RowEncoder;
  /** null without a verbalizer. */
  readonly reading: RowReading | null;
  readonly objective: O;
}

export interface ReadTask {
  readonly labels: readonly string[];
  readonly verbalizer?: FullVerbalizer | null | undefined;
  /** What stands for {prompt} in its template. */
  readonly wording?: string | null | undefined;
}

/** Reading with a wording as it stands. @throws StudioError `bad-input` for words that the tokenizer cannot spell */
export async function readingOf(
  { labels, verbalizer: plan, wording = null }: ReadTask,
  tokenizer: TextTokenizer,
  model: Pick<BaseModelInfo, 'architecture'>,
  located = false,
): Promise<TaskReading<Extract<ObjectiveSpec, { type: 'classification' }>>> {
  if (!plan) return { encoder: tokenizer, reading: null, objective: { type: 'classification', labels } };
  const verbalizer = await openVerbalizer(tokenizer, plan, { labels, decoder: isDecoder(model), wording, located });
  return {
    encoder: verbalizer,
    reading: verbalizer.reading,
    objective: { type: 'classification', labels, verbalizer: verbalizer.spec },
  };
}

/** How a model that answers reads its texts. @throws StudioError `bad-input` for one that writes, and as `readingOf` */
export async function servedReading(
  served: ServedModel,
  tokenizer: TextTokenizer,
  model: Pick<BaseModelInfo, 'architecture'>,
): Promise<TaskReading> {
  const { objective } = served;
  switch (objective.type) {
    case 'token-classification':
      return { encoder: tokenizer, reading: null, objective: { type: objective.type, labels: objective.labels } };
    case 'question-answering':
      return { encoder: tokenizer, reading: null, objective: { type: objective.type } };
    case 'classification':
    case 'causal-lm':
    case 'masked-lm':
      return readingOf(classesOf(served), tokenizer, model);
  }
}
