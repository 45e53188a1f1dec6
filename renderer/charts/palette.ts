/** Colours for the canvas, read from the design tokens: charts name no colour of their own. */
import { paletteTokens, type Palette } from '../../electron/charting/palette.js';

const methodTokens = [
  'cat-ref',
  'cat-1',
  'cat-2',
  'cat-3',
  'cat-4',
  'cat-5',
  'cat-6',
  'cat-7',
  'cat-8',
  'cat-9',
  'cat-10',
  'cat-11',
  'cat-12',
  'cat-13',
  'cat-14',
  'cat-15',
  'cat-16',
  'cat-17',
  'cat-18',
  'cat-20',
  'cat-21',
] as const;

/** Reads the tokens as they resolve at `host`, where the theme may be overridden. */
export function readPalette(host: HTMLElement): Palette {
  const probe = document.createElement('span');
  probe.hidden = true;
  host.append(probe);
  const style = getComputedStyle(probe);
  const colour = (token: string): string => {
    probe.style.color = `var(${token})`;
    return style.color;
  };
  const colours = Object.fromEntries(
    Object.entries(paletteTokens).map(([key, token]) => [key, colour(token)]),
  ) as Record<keyof typeof paletteTokens, string>;
  const methods = new Map(methodTokens.map((token) => [token as string, colour(`--${token}`)]));
  probe.style.fontSize = 'var(--fs-1)';
  const size = Number.parseFloat(style.fontSize) || 11;
  const font = style.fontFamily || 'sans-serif';
  probe.remove();
  return { ...colours, font, size, method: (token) => methods.get(token) ?? colours.text };
}

/** Calls back when a colour may have changed; returns the function that stops. */
export function watchTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme', 'class', 'style'] });
  const queries = ['(prefers-color-scheme: dark)', '(prefers-contrast: more)'].map((query) => matchMedia(query));
  for (const query of queries) query.addEventListener('change', changed);
  return () => {
    observer.disconnect();
    for (const query of queries) query.removeEventListener('change', changed);
  };
}
