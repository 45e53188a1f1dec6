/** Colours that a chart draws with: the window reads them from its page, a report from the same tokens. */
export const paletteTokens = {
  text: '--text',
  text2: '--text-2',
  text3: '--text-3',
  surface: '--surface',
  surfaceInset: '--surface-inset',
  overlay: '--overlay',
  border: '--border',
  borderStrong: '--border-strong',
  grid: '--grid',
  accent: '--accent',
  accentWeak: '--accent-weak',
  frozenEdge: '--frozen-edge',
  good: '--good',
  warn: '--warn',
  warnWeak: '--warn-weak',
  bad: '--bad',
  zone: '--zone',
  zoneEdge: '--zone-edge',
  bar: '--seq-4',
  worse3: '--div-n3',
  worse2: '--div-n2',
  worse1: '--div-n1',
  equal: '--div-0',
  better1: '--div-p1',
  better2: '--div-p2',
  better3: '--div-p3',
  amount1: '--seq-1',
  amount2: '--seq-2',
  amount3: '--seq-3',
  amount5: '--seq-5',
  amount6: '--seq-6',
  amount7: '--seq-7',
} as const;

export type Palette = Readonly<Record<keyof typeof paletteTokens, string>> & {
  readonly font: string;
  /** Pixels of axis text (token --fs-1). */
  readonly size: number;
  /** Colour of a method by its token name, "cat-1"; ink when the token is unknown. */
  readonly method: (token: string) => string;
};
