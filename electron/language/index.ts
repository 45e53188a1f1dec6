/**
 * One catalogue for all texts: the English text is the key. A process speaks English until told otherwise; only the window is told, so
 * that reports and files are the same everywhere.
 */
import { english, type PlaceValues, type Tongue } from './tongue.js';

let spoken: () => Tongue = () => english;

/** From now on texts are in the language that the function gives; the window's function is reactive, and so its texts are. */
export function speak(source: () => Tongue): void {
  spoken = source;
}

/** The names in braces of a literal text. */
type Places<T extends string> = string extends T
  ? never
  : T extends `${string}{${infer Name}}${infer Rest}`
    ? Name | Places<Rest>
    : never;
type Values<T extends string, Given extends string = never> = [Exclude<Places<T>, Given>] extends [never]
  ? [values?: PlaceValues]
  : [values: Readonly<Record<Exclude<Places<T>, Given>, string | number>>];

/** A text in the language spoken, its `{places}` filled: `t('Step {step}', { step: 3 })`. */
export const t = <const T extends string>(text: T, ...[values]: Values<T>): string => spoken().text(text, values);

/** A text with a count: `n(3, '{count} run', '{count} runs')`; the count is written as a number of the language. */
export const n = <const T extends string>(
  count: number,
  one: string,
  many: T,
  ...[values]: Values<T, 'count'>
): string => spoken().counted(count, one, many, values);

/** A sentence from the studio, the trainer or a stored report, which are English: translated as far as the catalogue has it. */
export const said = (english: string): string => spoken().said(english);

/** Says that a text is translated where it is shown, by `t(text)`: for tables that are made before a language is known. */
export const mark = <const T extends string>(text: T): T => text;

/** A number as the language writes it. */
export const localNumber = (value: number, options?: Intl.NumberFormatOptions): string =>
  spoken().number(value, options);

/** A date as the language writes it. */
export const localDate = (date: Date, options: Intl.DateTimeFormatOptions): string => spoken().date(date, options);
