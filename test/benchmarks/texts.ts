/** How long real texts are. */
import { openTokenizer, readRows } from '../../electron/data/index.js';
import { above } from './report.js';

/** Where texts are, by default the samples. */
export interface Texts {
  readonly rows?: string;
  readonly column?: string;
  /** Answers: loss is on these alone, and the other columns are their prompt. */
  readonly completion?: string;
}
/** The same as options of a benchmark, with the tokens that rows are cut to. */
export const textOptions = {
  rows: { type: 'string' },
  column: { type: 'string' },
  sequence: { type: 'string', default: '128' },
} as const;
/** Tokens of each row, and how many at its beginning are a prompt, without loss. */
export interface Lengths {
  readonly lengths: number[];
  readonly prompts: number[];
}

export type Shape = 'texts' | 'instructions';

const samples: Readonly<Record<Shape, Texts & { readonly rows: string }>> = {
  texts: { rows: 'native-assets/samples/wordnet-domains.csv', column: 'definition' },
  instructions: {
    rows: 'native-assets/samples/wordnet-dictionary.jsonl',
    column: 'instruction,input',
    completion: 'output',
  },
};

/** Cells of the named columns of a file's rows. @throws Error naming a column that it has not */
export async function* cellsIn(file: string, columns: readonly string[]): AsyncGenerator<string[]> {
  for await (const row of readRows(file)) {
    if ('problem' in row) continue;
    const { values } = row;
    yield columns.map((name) => {
      const cell = values[name];
      if (cell === undefined) throw new Error(`${file} has no column ${name}.`);
      return cell;
    });
  }
}

/** Of each text, or each prompt with its completion, by the starter model's tokenizer, cut to `limit` tokens. */
export async function lengthsOfTexts(shape: Shape, texts: Texts, limit: number): Promise<Lengths> {
  const { column = '', completion }: Texts = texts.rows === undefined ? samples[shape] : texts;
  const file = texts.rows ?? above(samples[shape].rows);
  const asked = column.split(',');
  const [wholes, prompts]: [string[], string[]] = [[], []];
  for await (const cells of cellsIn(file, completion === undefined ? asked : [...asked, completion])) {
    prompts.push(cells.slice(0, asked.length).join('\n'));
    wholes.push(cells.join('\n'));
    if (wholes.length === 2000) break;
  }
  const tokenizer = await openTokenizer(above('native-assets/starter-model'));
  const count = async (texts: readonly string[]) => {
    const encoded = await tokenizer.encode(
      texts.map((text) => ({ text, pair: null })),
      limit,
    );
    return encoded.map(({ ids }) => ids.length);
  };
  const lengths = await count(wholes);
  if (completion === undefined) return { lengths, prompts: [0] };
  // A text's end belongs to its completion; of a row that is cut before it at least one token is learned.
  const before = (await count(prompts)).map((tokens, row) => Math.min(tokens, lengths[row] ?? 0) - 1);
  return { lengths, prompts: before };
}
