/** Colours of a file that leaves the app: the window's own tokens, in both themes. */
import tokens from '../charting/tokens.css?raw';
import { paletteTokens, type Palette } from '../charting/palette.js';

interface Pair {
  readonly light: string;
  readonly dark: string;
}

/** Every token that has a colour of its own in each theme: "--text", "--cat-1". */
const pairs: ReadonlyMap<string, Pair> = new Map(
  [...tokens.matchAll(/(--[\w-]+):\s*light-dark\((#[0-9a-f]+),\s*(#[0-9a-f]+)\)/g)].map(
    ([, name = '', light = '', dark = '']) => [name, { light, dark }],
  ),
);

const all = (theme: keyof Pair) => [...pairs].map(([name, pair]) => `${name}:${pair[theme]}`).join(';');
/** Declarations of all tokens, light by themselves and dark where the reader's system is; paper is light. */
export const colourStyles = `:root{color-scheme:light dark;--cat-ref:var(--text);${all('light')}}
@media screen and (prefers-color-scheme:dark){:root{${all('dark')}}}`;

const palette = (colour: (token: string) => string, font: string): Palette => ({
  ...(Object.fromEntries(Object.entries(paletteTokens).map(([key, token]) => [key, colour(token)])) as Record<
    keyof typeof paletteTokens,
    string
  >),
  font,
  size: 11,
  method: (token) => colour(token === 'cat-ref' ? '--text' : `--${token}`),
});

/** Names the tokens, so that a picture changes with the theme. */
export const livePalette = palette((token) => `var(${pairs.has(token) ? token : '--text'})`, 'inherit');
/** The colours of paper. */
export const paperColour = (token: string): string =>
  pairs.get(token)?.light ?? pairs.get('--text')?.light ?? '#000000';
export const paperPalette = (font: string): Palette => palette(paperColour, font);
