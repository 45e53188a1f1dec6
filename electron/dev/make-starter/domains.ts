/** The sample task: WordNet's definitions of nouns, and the domain each noun belongs to. */
import { share } from './files.js';
import { synsets, type Synset } from './wordnet.js';

/** Lexicographer files by number (lexnames(5WN)); the label is the file's name without "noun.". */
export const domains: Readonly<Record<number, string>> = {
  4: 'act',
  5: 'animal',
  6: 'artifact',
  9: 'cognition',
  10: 'communication',
  13: 'food',
  18: 'person',
  20: 'plant',
};
export const rowsPerLabel = { train: 400, validation: 50, test: 150 } as const;
export type Split = keyof typeof rowsPerLabel;
export const splits = ['train', 'validation', 'test'] as const satisfies readonly Split[];
const seed = 1;
/** Not what a first look at the studio should show. */
export const unfit =
  /\b(offensive|slur|disparag\w*|derogat\w*|contempt\w*|sexual\w*|genital\w*|prostitut\w*|whore\w*|rap(e|ist)s?|copulat\w*|coitus|excrement|feces|penis|vagina\w*)\b/i;

export interface SampleRow {
  readonly id: string;
  readonly text: string;
  readonly label: string;
  readonly split: Split;
}

/**
 * The sample's rows, the same on every machine: as many of each domain, no synset and no text twice, and no
 * definition that holds a word it defines.
 */
export async function sampleRows(): Promise<SampleRow[]> {
  const byLabel = new Map<string, { id: string; text: string }[]>(Object.values(domains).map((label) => [label, []]));
  const seen = new Map<string, string>();
  const ambiguous = new Set<string>();
  for await (const synset of synsets('noun')) {
    const label = domains[synset.file];
    if (label === undefined) continue;
    const text = cleanDefinition(synset.definition);
    const key = text.toLowerCase();
    const before = seen.get(key);
    if (before !== undefined && before !== label) ambiguous.add(key);
    if (before !== undefined || !isUsable(text, synset)) continue;
    seen.set(key, label);
    byLabel.get(label)?.push({ id: synset.id, text });
  }
  const rows: SampleRow[] = [];
  for (const [label, all] of byLabel) {
    const candidates = all.filter(({ text }) => !ambiguous.has(text.toLowerCase()));
    candidates.sort((a, b) => share(seed, a.id) - share(seed, b.id));
    let next = 0;
    for (const split of splits)
      for (const { id, text } of candidates.slice(next, (next += rowsPerLabel[split])))
        rows.push({ id, text, label, split });
  }
  return rows.sort(
    (a, b) =>
      splits.indexOf(a.split) - splits.indexOf(b.split) || share(seed, 'order', a.id) - share(seed, 'order', b.id),
  );
}

/** A definition without the field it belongs to, such as "(botany)", which would name the label. */
export function cleanDefinition(definition: string): string {
  return definition
    .replace(/^(\([^)]*\)\s*)+/, '')
    .replace(/\s+/g, ' ')
    .replace(/`([^']*)'/g, '$1')
    .trim();
}

function isUsable(text: string, { words }: Synset): boolean {
  const length = text.split(' ').length;
  if (length < 4 || length > 40 || unfit.test(text)) return false;
  const inText = text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  // A word counts as named when the text has one that begins like it: "baker" gives "bakery" away.
  const stems = words
    .flatMap((word) => word.toLowerCase().split(/[^\p{L}\p{N}]+/u))
    .filter((word) => word.length >= 3)
    .map((word) => word.slice(0, Math.max(3, word.length - 2)));
  return !stems.some((stem) => inText.some((word) => word.startsWith(stem)));
}
