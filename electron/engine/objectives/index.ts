/** What a run learns: one table of all objectives. */
import { EngineError } from '../errors.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';
import type { ObjectiveSpec } from '../types.js';
import { causalLm } from './causal-lm.js';
import { classification } from './classification.js';
import { maskedLm } from './masked-lm.js';
import { multiLabel } from './multi-label.js';
import type { Model, Objective, ObjectiveGraph, TargetLimits, Targets } from './objective.js';
import type { Placed } from './placed.js';
import { questionAnswering } from './question-answering.js';
import { tokenClassification } from './token-classification.js';
import { regression } from './regression.js';

export type { ObjectiveGraph } from './objective.js';

type SpecOf<T extends ObjectiveSpec['type']> = Extract<ObjectiveSpec, { type: T }>;

const objectives: { readonly [T in ObjectiveSpec['type']]: Objective<SpecOf<T>> } = {
  classification,
  'token-classification': tokenClassification,
  'question-answering': questionAnswering,
  regression,
  'multi-label': multiLabel,
  'masked-lm': maskedLm,
  'causal-lm': causalLm,
};

/** The entry of a spec, which takes that spec: the table is keyed by its type. */
const entryOf = (spec: ObjectiveSpec) => objectives[spec.type] as Objective<ObjectiveSpec>;

/** Forward pass and loss of an objective over the standard inputs. Throws EngineError 'bad-input' where the architecture has no such task. */
export function buildObjective(b: Builder, model: Model, spec: ObjectiveSpec): ObjectiveGraph {
  const { architecture } = model;
  const entry = entryOf(spec);
  if (entry.language && architecture.language !== spec.type)
    throw new EngineError(
      'bad-input',
      `objective: a ${architecture.type} model cannot be trained for ${spec.type}.`,
      `Use one of: ${[...headObjectives, architecture.language].join(', ')}.`,
      { path: 'objective' },
    );
  return entry.graph(b, model, spec);
}

/** Forward pass without a loss: the outputs of an ONNX file by their names. */
export function buildInference(b: Builder, model: Model, spec: ObjectiveSpec): Readonly<Record<string, Value>> {
  const entry = entryOf(spec);
  const own = entry.inference?.(b, model, spec);
  if (own) return own;
  const { logits } = entry.graph(b, model, spec);
  if (!logits) throw new EngineError('bad-graph', `The objective ${spec.type} gives no logits.`);
  return { logits };
}

/** The parameters of a checkpoint that holds a model of this objective, in a builder without a loss. */
export const buildCheckpoint = (b: Builder, model: Model, spec: ObjectiveSpec): void =>
  entryOf(spec).checkpoint(b, model, spec);

/** Throws EngineError 'bad-input' where labels do not fit the batch or are out of range. */
export const targetsOf = (placed: Placed, spec: ObjectiveSpec, limits: TargetLimits): Targets =>
  entryOf(spec).targets(placed, spec, limits);

/** Is it the base's own way of predicting tokens, without a head for a task? */
export const isLanguage = (spec: ObjectiveSpec): boolean => entryOf(spec).language;

/** May a row of a batch hold several examples? */
export const packsRows = (spec: ObjectiveSpec): boolean => entryOf(spec).packs;

const headObjectives = Object.entries(objectives)
  .filter(([, { language }]) => !language)
  .map(([type]) => type);
