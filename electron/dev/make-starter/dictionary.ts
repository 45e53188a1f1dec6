/** The sample of instructions: questions about WordNet's nouns with WordNet's answers, in four kinds. */
import { cleanDefinition, domains, splits, unfit, type Split } from './domains.js';
import { share } from './files.js';
import { synsets, type Synset } from './wordnet.js';

export const rowsPerKind = { train: 200, validation: 20, test: 40 } as const satisfies Record<Split, number>;
const seed = 2;

export interface InstructionRow {
  readonly id: string;
  readonly instruction: string;
  readonly input: string;
  readonly output: string;
  readonly split: Split;
}

/** What is asked of a noun, and its answer; null where WordNet has none. */
type Kind = (noun: {
  readonly word: string;
  readonly definition: string;
  readonly synset: Synset;
}) => Pick<InstructionRow, 'instruction' | 'input' | 'output'> | null;

const kinds: readonly Kind[] = [
  ({ word, definition }) => ({ instruction: 'What does this word mean?', input: word, output: definition }),
  ({ word, definition }) => ({ instruction: 'Which word means this?', input: definition, output: word }),
  ({ word, synset }) => ({
    instruction: `What kind of thing is this? Answer with one word: ${Object.values(domains).join(', ')}.`,
    input: word,
    output: domains[synset.file] ?? '',
  }),
  ({ word, synset }) => {
    const [example] = synset.examples.filter((text) => new RegExp(`\\b${word}\\b`).test(text));
    return example === undefined ? null : { instruction: 'Use this word in a phrase.', input: word, output: example };
  },
];

/** The rows, the same on every machine: as many of each kind, each noun in one of them only, and in WordNet with one sense. */
export async function instructionRows(): Promise<InstructionRow[]> {
  const nouns = [];
  const senses = new Map<string, number>();
  for await (const { words } of synsets('noun'))
    for (const word of words) senses.set(word.toLowerCase(), (senses.get(word.toLowerCase()) ?? 0) + 1);
  for await (const synset of synsets('noun')) {
    const [word] = synset.words;
    const definition = cleanDefinition(synset.definition);
    const length = definition.split(' ').length;
    if (domains[synset.file] === undefined || word === undefined || !/^[a-z]{3,}$/.test(word)) continue;
    if (length < 4 || length > 16 || unfit.test(`${word} ${definition} ${synset.examples.join(' ')}`)) continue;
    // Another sense would be another answer to the same question.
    if (senses.get(word) !== 1) continue;
    nouns.push({ word, definition, synset });
  }
  nouns.sort((a, b) => share(seed, a.synset.id) - share(seed, b.synset.id));
  const used = new Set<string>();
  const rows: InstructionRow[] = [];
  // Phrases first: few nouns have one.
  for (const kind of [...kinds].reverse())
    for (const split of splits) {
      let missing: number = rowsPerKind[split];
      for (const noun of nouns) {
        if (missing === 0) break;
        const asked = used.has(noun.synset.id) ? null : kind(noun);
        if (asked === null) continue;
        used.add(noun.synset.id);
        rows.push({ id: noun.synset.id, ...asked, split });
        missing -= 1;
      }
      if (missing > 0) throw new Error(`${missing} ${split} rows are missing.`);
    }
  return rows.sort(
    (a, b) =>
      splits.indexOf(a.split) - splits.indexOf(b.split) || share(seed, 'order', a.id) - share(seed, 'order', b.id),
  );
}
