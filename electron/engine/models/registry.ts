/** Architectures by `model_type`. Each file registers itself; a second one of a type fails at start. */
import { EngineError } from '../errors.js';
import type { Architecture, ModelConfig } from './types.js';

const architectures = new Map<string, Architecture>();

export function registerArchitecture<C extends ModelConfig>(architecture: Architecture<C>): void {
  if (architectures.has(architecture.type))
    throw new EngineError('bad-graph', `Architecture ${architecture.type} is registered twice.`);
  architectures.set(architecture.type, architecture as Architecture);
}

/** Does a model see only what comes before, so that it can learn to write? Throws EngineError 'bad-model'. */
export const isDecoder = ({ architecture }: { readonly architecture: string }): boolean =>
  architectureOf(architecture).reads === 'last';

/** Throws EngineError 'bad-model' naming what is supported. */
export function architectureOf(type: string): Architecture {
  const known = architectures.get(type);
  if (known) return known;
  const supported = [...architectures.keys()].sort().join(', ');
  throw new EngineError(
    'bad-model',
    `config.json: model_type "${type}" is not supported.`,
    `Choose a model of one of these types: ${supported}.`,
    { modelType: type, supported },
  );
}
