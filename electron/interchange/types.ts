/** What goes out and what comes in. */
import { labelsIn, verbalizerIn, wordingIn, type LearnedObjective } from '../contract/learned.js';
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
  /** In the order of their class index; null of a language model, of a regression and of one that marks answers. */
  readonly labels: readonly string[] | null;
  /** What its head marks in a text; null or left out: it has none that does. */
  readonly marks?: Marks | null;
  /** What a head of texts is for; left out: one label a text. */
  readonly problem?: HeadProblem | null;
  /** How it answers without a head; null: by its head. */
  readonly verbalizer?: FullVerbalizer | null;
  /** What stands for {prompt} in the verbalizer's template: all that a search for a wording came to. */
  readonly wording?: string;
  /** Trained parameters, by the engine's names. */
  readonly parameters: NamedTensors;
  /** Tokens a row is cut to; the export's card names it. */
  readonly maxLength: number;
}

/** What a head may be for besides one label a text. */
export type HeadProblem = 'regression' | 'multi-label';

/** As transformers names it. */
export const problemTypes = {
  regression: 'regression',
  'multi-label': 'multi_label_classification',
} as const;

/** From transformers' name; null for one label a text, and for names that are not known. */
export const problemOf = (name: unknown): HeadProblem | null =>
  name === problemTypes.regression ? 'regression' : name === problemTypes['multi-label'] ? 'multi-label' : null;

export type FolderKind = 'peft' | 'adapterhub' | 'studio' | 'merged';

/** An adapter or merged model read from a folder. */
export interface LoadedFolder {
  readonly kind: FolderKind;
  /** The method whose parameters these are; of a merged folder "full". */
  readonly method: MethodSpec;
  /** In the order of the head's rows; null where the folder does not say. */
  readonly labels: readonly string[] | null;
  /** What the head is for, where it is not one label a text or the folder does not say. */
  readonly problem?: HeadProblem | null;
  /** How it answers without a head, of the studio's own folders. */
  readonly verbalizer?: FullVerbalizer;
  readonly wording?: string;
  /** By the engine's names, the head's included. */
  readonly parameters: NamedTensors;
}

type Head = Pick<ExportSource, 'labels' | 'problem' | 'marks' | 'verbalizer'>;

/** What tensors are planned by: names and shapes do not depend on the words. Without labels, marks and problem: of the model's own language modelling. */
export function objectiveOf(
  { architecture }: Pick<BaseModelInfo, 'architecture'>,
  { labels, problem, marks, verbalizer }: Head,
): ObjectiveSpec {
  if (marks === 'question-answering') return { type: marks };
  if (problem === 'regression') return { type: 'regression' };
  if (labels === null) return { type: architectureOf(architecture).language };
  if (marks === 'token-classification') return { type: marks, labels };
  if (problem === 'multi-label') return { type: 'multi-label', labels };
  return { type: 'classification', labels, verbalizer: verbalizer ? anyVerbalizer(labels.length) : null };
}

/** Names of the head's outputs, a number's as transformers has it; null where there is no head. */
export const outputsOf = ({ labels, problem, verbalizer }: Head): readonly string[] | null =>
  problem === 'regression' ? ['LABEL_0'] : verbalizer ? null : labels;

/** A learned objective as exports have it. */
export function headOf(learned: LearnedObjective): Head & Pick<ExportSource, 'wording'> {
  const wording = wordingIn(learned);
  return {
    labels: labelsIn(learned),
    marks: learned.type === 'token-classification' || learned.type === 'question-answering' ? learned.type : null,
    problem: learned.type === 'regression' || learned.type === 'multi-label' ? learned.type : null,
    verbalizer: verbalizerIn(learned),
    ...(wording === undefined ? {} : { wording }),
  };
}
