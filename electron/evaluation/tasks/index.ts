/** All objectives as they are measured. */
import type { Objective } from '../../contract/objectives.js';
import type { OutcomeOf } from '../../contract/outcomes.js';
import { causalLm } from './causal-lm.js';
import { classification } from './classification.js';
import { maskedLm } from './masked-lm.js';
import { questionAnswering } from './question-answering.js';
import { multiLabel } from './multi-label.js';
import { regression } from './regression.js';
import type { EvaluatedTask } from './task.js';
import { tokenClassification } from './token-classification.js';

const tasks: { readonly [O in Objective]: EvaluatedTask<OutcomeOf<O>> } = {
  classification,
  'token-classification': tokenClassification,
  'question-answering': questionAnswering,
  regression,
  'multi-label': multiLabel,
  'causal-lm': causalLm,
  'masked-lm': maskedLm,
};

/** The entry of an objective, which takes that objective's outcomes: the table is keyed by it. */
export const taskOf = (objective: Objective) => tasks[objective] as EvaluatedTask<OutcomeOf<Objective>>;
