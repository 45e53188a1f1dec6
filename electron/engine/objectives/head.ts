/** The head on a whole text that classification, regression and multi-label learning share. */
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';
import { firstTokens, lastTokens } from '../models/rows.js';
import type { Model } from './objective.js';

/** Logits [batch, outputs] of the token that the architecture's classifier reads. */
export function textLogits(b: Builder, model: Model, outputs: number): Value {
  return model.architecture.classify(b, model.config, readTokens(b, model), outputs);
}

/** Last hidden states of the tokens that a classifier reads: [batch, hidden]. */
function readTokens(b: Builder, { architecture, config }: Model): Value {
  if (!b.hooks.wholeTexts) return architecture.encode(b, config, architecture.reads);
  const all = architecture.encode(b, config, 'all');
  return architecture.reads === 'first' ? firstTokens(b, all) : lastTokens(b, all);
}

/** The classifier as its checkpoint has it. */
export function textHead(b: Builder, { architecture, config }: Model, outputs: number): void {
  architecture.classify(b, config, architecture.encode(b, config, architecture.reads), outputs);
}
