/** All objectives as they are learned. */
import type { TextTokenizer } from '../../data/index.js';
import { searchesWording, type BaseModelInfo } from '../../engine/index.js';
import type { Learn, Learning, LearningTask } from '../learning.js';
import type { LearnedObjective } from '../../contract/learned.js';
import { learnLanguage } from './causal-lm.js';
import { learnAnswers } from './question-answering.js';
import { learnClasses } from './classification.js';
import { learnMasked } from './masked-lm.js';
import { learnTags } from './token-classification.js';
import { learnLabels } from './multi-label.js';
import { learnNumbers } from './regression.js';
import { learnWording } from './wording.js';

type SpecOf<T extends LearnedObjective['type']> = Extract<LearnedObjective, { type: T }>;

const learnings: { readonly [T in LearnedObjective['type']]: Learn<SpecOf<T>> } = {
  classification: (objective, task, tokenizer, model) =>
    searchesWording(task.method)
      ? learnWording(objective, task, tokenizer, model)
      : learnClasses(objective, task.training, tokenizer, model),
  'token-classification': (objective, task, tokenizer) => learnTags(objective, task, tokenizer),
  'question-answering': (objective, task, tokenizer) => learnAnswers(objective, task, tokenizer),
  regression: (_objective, task, tokenizer) => Promise.resolve(learnNumbers(task, tokenizer)),
  'multi-label': ({ labels }, task, tokenizer) => Promise.resolve(learnLabels(labels, task, tokenizer)),
  'causal-lm': (_objective, task, tokenizer) => learnLanguage(task, tokenizer),
  'masked-lm': (_objective, task, tokenizer, model) => learnMasked(task, tokenizer, model),
};

/** How the objective of a task is learned. @throws StudioError `bad-model` for a chat template that cannot be read */
export function learningOf(task: LearningTask, tokenizer: TextTokenizer, model: BaseModelInfo): Promise<Learning> {
  // The table is keyed by the objective's type: the entry takes that objective.
  const learn = learnings[task.objective.type] as Learn<LearnedObjective>;
  return learn(task.objective, task, tokenizer, model);
}
