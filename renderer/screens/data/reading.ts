/** Words for how a file reads. */
import type { ReadingOptions } from '../../../electron/contract/index.js';
import { mark, t } from '../../language.js';

const delimiters: Readonly<Record<string, string>> = {
  ',': mark('comma'),
  ';': mark('semicolon'),
  '\t': mark('tab'),
  '|': mark('bar'),
};

/** "," is "comma"; an unusual one stands for itself in quotes. */
export const delimiterName = (delimiter: string): string => t(delimiters[delimiter] ?? `"${delimiter}"`);

export const delimiterChoices = () => Object.entries(delimiters).map(([value, label]) => ({ value, label: t(label) }));
export const formatChoices = (['csv', 'tsv', 'json', 'jsonl', 'parquet', 'text'] as const).map((value) => ({
  value,
  label: value === 'text' ? mark('Plain text') : value === 'parquet' ? 'Parquet' : value.toUpperCase(),
}));
/** Labels that TextDecoder takes, the usual exports of spreadsheets first. */
export const encodingChoices = [
  { value: 'utf-8', label: 'UTF-8' },
  { value: 'windows-1252', label: mark('Windows-1252 (Western)') },
  { value: 'utf-16le', label: 'UTF-16 LE' },
  { value: 'utf-16be', label: 'UTF-16 BE' },
  { value: 'iso-8859-2', label: mark('ISO 8859-2 (Central Europe)') },
  { value: 'windows-1251', label: mark('Windows-1251 (Cyrillic)') },
  { value: 'koi8-r', label: 'KOI8-R' },
  { value: 'gb18030', label: mark('GB18030 (Chinese)') },
  { value: 'big5', label: mark('Big5 (Chinese)') },
  { value: 'shift_jis', label: mark('Shift JIS (Japanese)') },
  { value: 'euc-jp', label: 'EUC-JP' },
  { value: 'euc-kr', label: mark('EUC-KR (Korean)') },
] as const;

export const isFormat = (value: string): value is NonNullable<ReadingOptions['format']> =>
  formatChoices.some((choice) => choice.value === value);
