/** Pages of the help as they are read in the window's language: general ones, those of tables, and each method's own. */
import type { Language, MethodInfo } from '../../../electron/contract/index.js';
import { t } from '../../language.js';
import { allPages, type HelpPage } from './pages.js';

/** Texts in other languages: a folder for each language, in it a file for each page, named by the page's id whatever it belongs to. */
const translations = import.meta.glob<string>('./pages/*/*.md', { query: '?raw', import: 'default', eager: true });

export interface ToldPage extends HelpPage {
  /** A line on what the page is about; empty where the title says it all. */
  readonly summary: string;
  /** It is in English, because the language has no file for it. */
  readonly foreign: boolean;
}

/** A page's text in a language: its translation, or the English one where there is none. */
export function textIn(language: Language, id: string, english: string): Pick<ToldPage, 'id' | 'text' | 'foreign'> {
  const translated = language === 'en' ? english : translations[`./pages/${language}/${id}.md`];
  return { id, text: translated ?? english, foreign: translated === undefined };
}

/** All pages in the language that is spoken. */
export const toldPages = (methods: readonly MethodInfo[], language: Language): readonly ToldPage[] => [
  ...allPages.map(({ id, title, text }) => ({ ...textIn(language, id, text), title: t(title), summary: '' })),
  // A method's title is its name in the field, the same in every language.
  ...methods.map(({ type, title, summary, help }) => ({ ...textIn(language, type, help), title, summary: t(summary) })),
];
