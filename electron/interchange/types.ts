/** What goes out and what comes in. */
import type { FullVerbalizer } from '../contract/verbalizer.js';
import {
  anyVerbalizer,
  architectureOf,
  type BaseModelInfo,
  type MethodSpec,
  type NamedTensors,
  type ObjectiveSpec,
} from '../engine/index.js';

/** Objectives whose head is of tokens. */
export type Marks = 'token-classification' | 'question-answering';

/** What peft calls a task, the class that transformers has for it, and the modules of its head that peft saves. */
export const marksTable: {
  readonly [M in Marks]: { readonly taskType: string; readonly ending: string; readonly modules: readonly string[] };
} = {
  'token-classification': { taskType: 'TOKEN_CLS', ending: 'TokenClassification', modules: ['classifier', 'score'] },
  'question-answering': { taskType: 'QUESTION_ANS', ending: 'QuestionAnswering', modules: ['qa_outputs'] },
};

/** The class that transformers loads a head with, from that of its sequence classifier. */
export const headClass = (classifierClass: string, marks: Marks | null): string =>
  marks === null ? classifierClass : classifierClass.replace('SequenceClassification', marksTable[marks].ending);

/** A trained run, as every export format takes it. */
export interface ExportSource {
  readonly model: BaseModelInfo;
  /** Options left out have their defaults. */
  readonly method: MethodSpec;
  /** In the order of their class index; null of a language model and of one that marks answers. */
  readonly labels: readonly string[] | null;
  /** What its head marks in a text; null or left out: it has none that does. */
  readonly marks?: Marks | null;
  /** How it answers without a head; null: by its head. */
  readonly verbalizer?: FullVerbalizer | null;
  /** What stands for {prompt} in the verbalizer's template: all that a search for a wording came to. */
  readonly wording?: string;
  /** Trained parameters, by the engine's names. */
  readonly parameters: NamedTensors;
  /** Tokens a row is cut to; the export's card names it. */
  readonly maxLength: number;
}

export type FolderKind = 'peft' | 'adapterhub' | 'studio' | 'merged';

/** An adapter or merged model read from a folder. */
export interface LoadedFolder {
  readonly kind: FolderKind;
  /** The method whose parameters these are; of a merged folder "full". */
  readonly method: MethodSpec;
  /** In the order of the head's rows; null where the folder does not say. */
  readonly labels: readonly string[] | null;
  /** How it answers without a head, of the studio's own folders. */
  readonly verbalizer?: FullVerbalizer;
  readonly wording?: string;
  /** By the engine's names, the head's included. */
  readonly parameters: NamedTensors;
}

/** What tensors are planned by: names and shapes do not depend on the words. Without labels and marks: of the model's own language modelling. */
export function objectiveOf(
  { architecture }: Pick<BaseModelInfo, 'architecture'>,
  labels: readonly string[] | null,
  verbalizer: FullVerbalizer | null | undefined,
  marks: Marks | null = null,
): ObjectiveSpec {
  if (marks === 'question-answering') return { type: marks };
  if (labels === null) return { type: architectureOf(architecture).language };
  if (marks === 'token-classification') return { type: marks, labels };
  return { type: 'classification', labels, verbalizer: verbalizer ? anyVerbalizer(labels.length) : null };
}
