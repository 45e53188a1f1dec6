/** A method in a word or as JSON. */
import { StudioError } from '../contract/errors.js';

/** The value of option `option`. @throws StudioError 'bad-input' for what is not a method's options */
export function methodIn(option: string, text: string): { type: string } {
  const value: unknown = (() => {
    try {
      return text.trimStart().startsWith('{') ? JSON.parse(text) : { type: text };
    } catch {
      return null;
    }
  })();
  if (typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string')
    return { ...value, type: value.type };
  throw new StudioError(
    'bad-input',
    `--${option} ${text}: is no method.`,
    'Give its type, or its options as JSON: \'{"type": "bottleneck", "reductionFactor": 8}\'.',
    { option },
  );
}
