/** A language at work: looks texts up by their English wording, fills their places, and knows its plurals and numbers. */
import type { Language } from '../contract/languages.js';

/** A translation; where a count decides, one for each of the language's plural categories, `other` always. */
export type Entry = string | (Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> & { readonly other: string });
/** Translations by their English text; a text with a count by its English plural. */
export type Catalogue = Readonly<Record<string, Entry>>;
export type PlaceValues = Readonly<Record<string, string | number>>;

/** Numbers and dates as the language's readers write them. English: day before month, 24 hours. */
const locales: Readonly<Record<Language, string>> = { en: 'en-GB', de: 'de-DE' };

const fill = (text: string, values: PlaceValues | undefined): string =>
  values === undefined
    ? text
    : text.replace(/\{(\w+)\}/g, (place, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : place));

export class Tongue {
  readonly locale: string;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #plurals: Intl.PluralRules;
  readonly #numbers = new Map<string, Intl.NumberFormat>();

  constructor(
    readonly language: Language,
    catalogue: Catalogue,
  ) {
    this.locale = locales[language];
    this.#entries = new Map(Object.entries(catalogue));
    this.#plurals = new Intl.PluralRules(this.locale);
  }

  /** The text in this language, with `{name}` replaced by the value of that name; a text without an entry stays English. */
  text(english: string, values?: PlaceValues): string {
    const entry = this.#entries.get(english) ?? english;
    return fill(typeof entry === 'string' ? entry : entry.other, values);
  }

  /** The text for a count, which stands in the place `{count}`; the entry is that of the English plural. */
  counted(count: number, one: string, many: string, values?: PlaceValues): string {
    const entry = this.#entries.get(many);
    const category = this.#plurals.select(count);
    const text =
      entry === undefined
        ? count === 1
          ? one
          : many
        : typeof entry === 'string'
          ? entry
          : (entry[category] ?? entry.other);
    return fill(text, { count: this.number(count), ...values });
  }

  /** A number in digits of this language. */
  number(value: number, options: Intl.NumberFormatOptions = {}): string {
    const key = JSON.stringify(options);
    let format = this.#numbers.get(key);
    if (!format) this.#numbers.set(key, (format = new Intl.NumberFormat(this.locale, options)));
    return format.format(value);
  }
}

export const english = new Tongue('en', {});
