import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { languages } from '../../../electron/contract/index.js';
import type { Catalogue, Entry } from '../../../electron/language/tongue.js';
import { registryTexts } from './registries.js';
import { filesBelow, rawTextsOf, root, textsOf, type Found } from './scan.js';

const sources = ['.ts', '.svelte'];
const inWindow = [...filesBelow('renderer', sources), ...filesBelow('electron/charting', sources)].flatMap(textsOf);
/** All that the studio's sources say, as they are written there, with quotes in them as they are read. */
const studio = ['studio', 'data', 'evaluation', 'interchange', 'trainer', 'shell', 'contract', 'engine', 'storage']
  .flatMap((folder) => filesBelow(`electron/${folder}`, ['.ts']))
  .map((file) => readFileSync(`${root}/${file}`, 'utf8'))
  .join('\n')
  .replaceAll("\\'", "'");
const inShell = filesBelow('electron/shell', sources).flatMap(textsOf);

/** Catalogues of a language by their file: the shell's is read alone, the window reads all others. */
function cataloguesOf(language: string): ReadonlyMap<string, Catalogue> {
  const files = filesBelow(`electron/language/${language}`, ['.json']);
  return new Map(
    files.map((file) => [
      file.split('/').at(-1) ?? '',
      JSON.parse(readFileSync(`${root}/${file}`, 'utf8')) as Catalogue,
    ]),
  );
}
const placesOf = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
const formsOf = (entry: Entry): string[] => (typeof entry === 'string' ? [entry] : Object.values(entry));

/** What a language lacks or has wrongly of the texts, in lines for the one who adds a text. */
function faults(texts: readonly Found[], catalogue: Catalogue, language: string): string[] {
  const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  return texts.flatMap(({ at, text, counted }) => {
    const entry = Object.hasOwn(catalogue, text) ? catalogue[text] : undefined;
    if (entry === undefined) return [`${at}: "${text}" has no entry in ${language}`];
    if (counted !== (typeof entry === 'object'))
      return [`${at}: "${text}" needs ${counted ? 'a form for each plural category' : 'one form'} in ${language}`];
    if (typeof entry === 'object' && categories.some((category) => entry[category] === undefined))
      return [`${at}: "${text}" lacks one of ${categories.join(', ')} in ${language}`];
    const wanted = placesOf(text);
    // A form for one may write the count as a word, or not at all.
    const wrong = formsOf(entry).filter((form) => {
      const own = placesOf(form);
      return counted
        ? own.some((place) => !wanted.includes(place)) ||
            wanted.some((place) => place !== '{count}' && !own.includes(place))
        : own.join() !== wanted.join();
    });
    return wrong.map((form) => `${at}: "${text}" and "${form}" differ in their places`);
  });
}

describe.each(languages.filter((language) => language !== 'en'))('the catalogue of %s', (language) => {
  const files = cataloguesOf(language);
  const shell = files.get('shell.json') ?? {};
  const sentences = files.get('sentences.json') ?? {};
  const ofWindow = [...files].filter(([name]) => name !== 'shell.json' && name !== 'sentences.json');
  const window: Catalogue = Object.assign({}, ...ofWindow.map(([, catalogue]) => catalogue));
  const registered: Found[] = registryTexts().map(([from, text]) => ({ at: from, text, counted: false }));

  it('has every text of the window, with the same places', () => {
    expect(faults(inWindow, window, language)).toEqual([]);
  });
  it('has every text of registries that the window shows', () => {
    expect(faults(registered, window, language)).toEqual([]);
  });
  it('has every text of the shell in its own file', () => {
    expect(faults(inShell, shell, language)).toEqual([]);
  });
  it('has sentences that the studio makes, with the same places', () => {
    const idle = Object.entries(sentences).flatMap(([text, entry]) => {
      // A piece stands in one literal, or is put together from several: then each of its words does.
      const unsaid = text
        .split(/\{\w+\}/)
        .map((piece) => piece.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, ''))
        .filter((piece) => !studio.includes(piece) && piece.split(' ').some((word) => !studio.includes(word)));
      return [
        ...unsaid.map((piece) => `"${text}": nothing says "${piece}"`),
        ...formsOf(entry).flatMap((form) =>
          placesOf(form).join() === placesOf(text).join() ? [] : [`"${text}" and "${form}" differ in their places`],
        ),
      ];
    });
    expect(idle).toEqual([]);
  });
  it('has no entry twice and none that nothing shows', () => {
    const used = new Set([...inWindow, ...registered].map(({ text }) => text));
    const seen = new Map<string, string>();
    const idle = ofWindow.flatMap(([name, catalogue]) =>
      Object.keys(catalogue).flatMap((text) => {
        const before = seen.get(text);
        seen.set(text, name);
        if (before !== undefined) return [`"${text}" stands in ${before} and in ${name}`];
        return used.has(text) ? [] : [`"${text}" in ${name} is shown nowhere`];
      }),
    );
    const shown = new Set(inShell.map(({ text }) => text));
    idle.push(
      ...Object.keys(shell).flatMap((text) => (shown.has(text) ? [] : [`"${text}" in shell.json is shown nowhere`])),
    );
    expect(idle).toEqual([]);
  });
});

describe('the scan', () => {
  it('finds texts, counted ones too, with their place', () => {
    expect(inWindow).toContainEqual({
      at: expect.stringMatching(/^renderer\/shell\/StatusBar\.svelte:\d+$/),
      text: '{count} runs active',
      counted: true,
    });
    expect(inShell.length).toBeGreaterThan(20);
    expect(inWindow.length).toBeGreaterThan(1500);
  });
});

describe('components', () => {
  it('say nothing that is not in the catalogue', () => {
    const raw = filesBelow('renderer', ['.svelte']).flatMap(rawTextsOf);
    expect(raw.map(({ at, text }) => `${at}: "${text}" is not translated`)).toEqual([]);
  });
});
