/** The shell's own texts: its menu and dialogs, in the language of the settings. Reports and files of this process stay English. */
import { app } from 'electron';
import type { Settings } from '../contract/entities.js';
import { languageOf, type Language } from '../contract/languages.js';
import { english, Tongue, type Catalogue } from '../language/tongue.js';
import german from '../language/de/shell.json';

const catalogues: { readonly [L in Language]: Catalogue } = { en: {}, de: german };
let tongue: Tongue | null = null;
const tongueOf = (language: Language) => (language === 'en' ? english : new Tongue(language, catalogues[language]));

/** The app is ready by then: the system's language is known. */
export function speakAs(setting: Settings['language']): void {
  tongue = tongueOf(setting === 'system' ? languageOf([app.getLocale()]) : setting);
}

export const t = (text: string): string => {
  tongue ??= tongueOf(languageOf([app.getLocale()]));
  return tongue.text(text);
};
export const n = (count: number, one: string, many: string): string => {
  tongue ??= tongueOf(languageOf([app.getLocale()]));
  return tongue.counted(count, one, many);
};
