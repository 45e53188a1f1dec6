/** What the studio refuses of a plan, at the field that it is about. */
import type { Problem } from '../../../electron/contract/index.js';
import { said } from '../../language.js';

/** The reason and the remedy by the key of their field in a section of the plan; empty where the problem is about none of the keys. */
export function toldOf(
  problem: Problem | null,
  section: 'method' | 'training',
  keys: readonly string[],
): Readonly<Record<string, string>> {
  const [first, key = ''] = String(problem?.context['path'] ?? '').split('.');
  if (problem === null || first !== section || !keys.includes(key)) return {};
  // The field is named by its label.
  const message = said(problem.message).replace(/^(method|training)\.[\w.]+: /, '');
  return { [key]: [message, said(problem.hint ?? '')].join(' ').trim() };
}
