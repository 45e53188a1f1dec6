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

/** English words that another language tells apart carry a context that is never shown: "Measure¦noun". */
const withoutContext = (english: string) => english.split('¦', 1)[0] ?? english;

/** A sentence of the studio with values in it: how it is recognized, the names of its places, and its translation. */
interface Template {
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly text: string;
  /** Letters outside its places. */
  readonly words: number;
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
function templateOf(english: string, entry: Entry): Template {
  const names: string[] = [];
  const pattern = english
    .split(/\{(\w+)\}/)
    .map((part, i) => {
      if (i % 2 === 0) return escaped(part);
      names.push(part);
      return '(.+?)';
    })
    .join('');
  return {
    pattern: new RegExp(`^${pattern}$`, 's'),
    names,
    text: typeof entry === 'string' ? entry : entry.other,
    words: english.replace(/\{\w+\}/g, '').length,
  };
}
/** A number as English writes it: "1,234.5". */
const englishNumber = /^[\u2212+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?$/;
/** Sentences may hold sentences: a reason, a list. */
const MOST_WITHIN = 3;
/** A sentence is looked for among all that are known: those on the screen are remembered. */
const MOST_REMEMBERED = 500;

export class Tongue {
  readonly locale: string;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #templates: readonly Template[];
  readonly #said = new Map<string, string>();
  readonly #plurals: Intl.PluralRules;
  // Making a format takes longer than a hundred uses of it.
  readonly #numbers = new Map<string, Intl.NumberFormat>();
  readonly #dates = new Map<string, Intl.DateTimeFormat>();

  constructor(
    readonly language: Language,
    catalogue: Catalogue,
    /** Sentences that the studio makes in English, with their values in them. */
    sentences: Catalogue = {},
  ) {
    this.locale = locales[language];
    this.#entries = new Map(Object.entries(catalogue));
    // The one with the most words of its own first: it says most exactly what was meant.
    this.#templates = Object.entries(sentences)
      .map(([text, entry]) => templateOf(text, entry))
      .sort((a, b) => b.words - a.words);
    this.#plurals = new Intl.PluralRules(this.locale);
  }

  /** The text in this language, with `{name}` replaced by the value of that name; a text without an entry stays English. */
  text(english: string, values?: PlaceValues): string {
    const entry = this.#entries.get(english) ?? withoutContext(english);
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

  /** A sentence that the studio made in English: by its own entry, or by one that has it with places for its values. */
  said(english: string): string {
    if (this.#templates.length === 0) return english;
    let known = this.#said.get(english);
    if (known === undefined) {
      if (this.#said.size >= MOST_REMEMBERED) this.#said.clear();
      this.#said.set(english, (known = this.#recognized(english, 0)));
    }
    return known;
  }

  #recognized(english: string, within: number): string {
    const entry = this.#entries.get(english);
    if (entry !== undefined) return typeof entry === 'string' ? entry : entry.other;
    if (englishNumber.test(english)) return this.#rewritten(english);
    if (within > MOST_WITHIN) return english;
    for (const { pattern, names, text } of this.#templates) {
      const match = pattern.exec(english);
      if (match)
        return fill(
          text,
          Object.fromEntries(names.map((name, i) => [name, this.#recognized(match[i + 1] ?? '', within + 1)])),
        );
    }
    return english;
  }

  /** An English number in this language's signs. */
  #rewritten(english: string): string {
    const decimals = english.split('.')[1]?.length ?? 0;
    const sign = /^[\u2212+-]/.exec(english)?.[0] ?? '';
    const grouped = english.includes(',');
    return `${sign}${this.number(Number(english.replace(/[\u2212+,-]/g, '')), {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
      useGrouping: grouped,
    })}`;
  }

  /** A number in digits of this language. */
  number(value: number, options: Intl.NumberFormatOptions = {}): string {
    const key = JSON.stringify(options);
    let format = this.#numbers.get(key);
    if (!format) this.#numbers.set(key, (format = new Intl.NumberFormat(this.locale, options)));
    return format.format(value);
  }

  date(date: Date, options: Intl.DateTimeFormatOptions): string {
    const key = JSON.stringify(options);
    let format = this.#dates.get(key);
    if (!format) this.#dates.set(key, (format = new Intl.DateTimeFormat(this.locale, options)));
    return format.format(date);
  }
}

export const english = new Tongue('en', {});
