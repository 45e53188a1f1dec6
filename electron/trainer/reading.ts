/** How a task's texts become tokens and its answers labels or numbers: by a head, or by a verbalizer's prompt and words. */
import type { LearnedObjective } from '../contract/learned.js';
import { openVerbalizer, type RowEncoder, type RowReading, type TextTokenizer } from '../data/index.js';
import { isDecoder, type BaseModelInfo, type ObjectiveSpec } from '../engine/index.js';

export interface TaskReading<S extends ObjectiveSpec = ObjectiveSpec> {
  readonly encoder: RowEncoder;
  /** null without a verbalizer. */
  readonly reading: RowReading | null;
  readonly objective: S;
}

export type LearnedClasses = Extract<LearnedObjective, { type: 'classification' }>;
export type ClassReading = TaskReading<Extract<ObjectiveSpec, { type: 'classification' }>>;

/** Reading with a wording as it stands. @throws StudioError `bad-input` for words that the tokenizer cannot spell */
export async function classReading(
  { labels, verbalizer: plan, wording }: Omit<LearnedClasses, 'type'>,
  tokenizer: TextTokenizer,
  model: Pick<BaseModelInfo, 'architecture'>,
  located = false,
): Promise<ClassReading> {
  if (!plan) return { encoder: tokenizer, reading: null, objective: { type: 'classification', labels } };
  const verbalizer = await openVerbalizer(tokenizer, plan, {
    labels,
    decoder: isDecoder(model),
    wording: wording ?? null,
    located,
  });
  return {
    encoder: verbalizer,
    reading: verbalizer.reading,
    objective: { type: 'classification', labels, verbalizer: verbalizer.spec },
  };
}

/** The same of any objective that answers by a head. @throws as `classReading` */
export function readingOf(
  learned: LearnedObjective,
  tokenizer: TextTokenizer,
  model: Pick<BaseModelInfo, 'architecture'>,
): Promise<TaskReading> {
  if (learned.type === 'classification') return classReading(learned, tokenizer, model);
  const objective: ObjectiveSpec = learned.type === 'question-answering' ? { type: learned.type } : learned;
  return Promise.resolve({ encoder: tokenizer, reading: null, objective });
}
