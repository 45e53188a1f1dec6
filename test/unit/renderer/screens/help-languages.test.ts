import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { languages, type MethodInfo } from '../../../../electron/contract/index.js';
import german from '../../../../electron/language/de/index.js';
import type { Catalogue } from '../../../../electron/language/tongue.js';
import { allPages } from '../../../../renderer/screens/help/pages.js';
import { helpSearch } from '../../../../renderer/screens/help/search.js';
import { textIn } from '../../../../renderer/screens/help/told.js';

type Foreign = Exclude<(typeof languages)[number], 'en'>;
const catalogues: Readonly<Record<Foreign, Catalogue>> = { de: german };
const foreign = languages.filter((language): language is Foreign => language !== 'en');

/** The engine, by what is needed of it: imported by its types it would bring Node's into the window's. */
const engine = import.meta.glob<{ listMethods(): readonly Pick<MethodInfo, 'type' | 'title' | 'help'>[] }>(
  '../../../../electron/engine/index.ts',
  { eager: true },
);
const listMethods = () => Object.values(engine).flatMap((door) => door.listMethods());
const files = Object.keys(import.meta.glob('../../../../renderer/screens/help/pages/*/*.md'));

const english = [...allPages, ...listMethods().map(({ type, title, help }) => ({ id: type, title, text: help }))];
const markdown = new MarkdownIt({ html: false });

/** What a translation keeps: blocks in their order with the code in them, addresses, and code within sentences. */
function frameOf(text: string) {
  const tokens = markdown.parse(text, {});
  const inline = tokens.flatMap(({ children }) => children ?? []);
  const addresses = inline.map((token) => token.attrGet('href')).filter((href) => href !== null);
  const codes = inline.filter(({ type }) => type === 'code_inline').map(({ content }) => content);
  return {
    blocks: tokens
      .filter(({ type, nesting }) => type !== 'inline' && nesting >= 0)
      .map(({ tag, type, content }) => `${tag || type}${content && `: ${content}`}`),
    addresses: addresses.sort(),
    codes: [...new Set(codes)].sort(),
  };
}
/** Words that a page sets apart: what the window has on its buttons and fields. */
function namesOf(text: string): string[] {
  const inline = markdown.parse(text, {}).flatMap(({ children }) => children ?? []);
  return inline.flatMap(({ type }, i) => (type === 'em_open' ? [inline[i + 1]?.content ?? ''] : []));
}
const withCapital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

describe.each(foreign)('the help in %s', (language) => {
  const pages = english.map((page) => ({ ...page, english: page.text, ...textIn(language, page.id, page.text) }));

  it('has every page, and none that English lacks', () => {
    expect(pages.filter((page) => page.foreign).map(({ id }) => `pages/${language}/${id}.md is missing`)).toEqual([]);
    const known = new Set(english.map(({ id }) => `${id}.md`));
    expect(known.size).toBe(english.length);
    const own = files.filter((file) => file.includes(`/${language}/`)).map((file) => file.split('/').at(-1) ?? '');
    expect(own).not.toEqual([]);
    expect(own.filter((file) => !known.has(file))).toEqual([]);
  });

  it('has the headings, tables, lists, code and links of each page', () => {
    for (const page of pages) if (!page.foreign) expect(frameOf(page.text), page.id).toEqual(frameOf(page.english));
  });

  it('calls what the window shows as the window does', () => {
    const catalogue = catalogues[language];
    const faults = pages.flatMap(({ id, text, english, foreign }) => {
      const own = namesOf(text).map((name) => name.toLowerCase());
      return namesOf(english).flatMap((name) => {
        const entry = catalogue[name] ?? catalogue[withCapital(name)];
        const right = typeof entry === 'string' && !foreign ? entry : null;
        return right === null || own.includes(right.toLowerCase()) ? [] : [`${id}: *${name}* is *${right}* there`];
      });
    });
    expect(faults).toEqual([]);
  });

  it('is searched by its own words', () => {
    const search = helpSearch(pages.map((page) => ({ ...page, summary: '' })));
    for (const { id, text, foreign } of pages) {
      if (foreign) continue;
      // The page's longest word finds it; English pages have it nowhere.
      const words = text.match(/\p{L}{8,}/gu) ?? [];
      const longest = words.toSorted((a, b) => b.length - a.length)[0] ?? '';
      expect(
        search(longest).map((page) => page.id),
        `${id} by "${longest}"`,
      ).toContain(id);
    }
  });
});

describe('a page without a translation', () => {
  it('is told in English, and says so', () => {
    expect(textIn('de', 'no-such-page', 'As it is.')).toEqual({ id: 'no-such-page', text: 'As it is.', foreign: true });
    expect(textIn('en', 'start', 'As it is.')).toMatchObject({ text: 'As it is.', foreign: false });
  });
});
