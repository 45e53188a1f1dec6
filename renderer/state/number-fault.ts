/** What a number's field takes, and what is wrong with a text in it, in words. */
import { t } from '../language.js';
import { plain } from './format.js';

export interface NumberLimits {
  readonly integer?: boolean;
  readonly min?: number | null | undefined;
  readonly max?: number | null | undefined;
  /** The lowest, or the highest, is itself not allowed. */
  readonly above?: boolean | undefined;
  readonly below?: boolean | undefined;
  /** Words that may stand instead of a number: "learned". */
  readonly words?: readonly string[];
  /** The field may stay empty. */
  readonly optional?: boolean;
}

/** Range as the field shows it: "1 to 64", "from 0", "above 0 to 1 or learned". Limits from a million on are left out. */
export const rangeWords = (limits: NumberLimits): string => inWords(limits, 1e6);

const inWords = (limits: NumberLimits, shownBelow: number): string =>
  [rangeOf(limits, shownBelow), ...(limits.words ?? []).map((word) => t(word))]
    .filter((part) => part !== '')
    .join(t(' or '));

function rangeOf({ min, max, above = false, below = false }: NumberLimits, shownBelow: number): string {
  const told = (value: number | null | undefined) =>
    value === null || value === undefined || Math.abs(value) >= shownBelow ? null : plain(value);
  const [low, high] = [told(min), told(max)];
  const least = low !== null && above ? t('above {min}', { min: low }) : low;
  const most = high !== null && below ? t('below {max}', { max: high }) : high;
  if (least !== null && most !== null) return t('{min} to {max}', { min: least, max: most });
  if (least !== null) return above ? least : t('from {min}', { min: least });
  if (most !== null) return below ? most : t('up to {max}', { max: most });
  return '';
}

/** What a text means: a number, which may be none (NaN), one of the words, or null where it is empty. A comma is a decimal point. */
export function meaningOf(text: string, words: readonly string[]): number | string | null {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  // Words are shown in the window's language.
  return words.find((word) => word === trimmed || t(word) === trimmed) ?? Number(trimmed.replace(',', '.'));
}

/** What is wrong with a text, and what the field takes, limits and all; null for a good one. */
export function faultOf(text: string, limits: NumberLimits): string | null {
  const fault = faultAlone(text, limits);
  if (fault === null) return null;
  const range = inWords(limits, Number.MAX_SAFE_INTEGER);
  const kind = limits.integer ? t('a whole number') : t('a number');
  const remedy = range === '' ? t('Give {kind}.', { kind }) : t('Give {kind}: {range}.', { kind, range });
  return [fault, remedy, ...(limits.optional ? [t('Or leave it empty.')] : [])].join(' ');
}

function faultAlone(text: string, limits: NumberLimits): string | null {
  const { integer = false, min, max, above = false, below = false, words = [], optional = false } = limits;
  const meant = meaningOf(text, words);
  if (meant === null) return optional ? null : t('Nothing stands here.');
  if (typeof meant === 'string') return null;
  const input = text.trim();
  if (!Number.isFinite(meant)) return t('"{input}" is not a number.', { input });
  if (integer && !Number.isInteger(meant)) return t('{input} is not a whole number.', { input });
  if (typeof min === 'number' && (meant < min || (above && meant === min)))
    return t('{input} is too small.', { input });
  if (typeof max === 'number' && (meant > max || (below && meant === max)))
    return t('{input} is too large.', { input });
  return null;
}
