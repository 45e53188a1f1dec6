/** How long real texts are. */
import { openTokenizer, readRows } from '../../electron/data/index.js';
import { above } from './report.js';

const sample = 'native-assets/samples/wordnet-domains.csv';

/** Tokens of each text of a file's column, by default the sample's, by the starter model's tokenizer, cut to `limit`. */
export async function lengthsOfTexts(
  { rows: file = above(sample), column = 'definition' }: { readonly rows?: string; readonly column?: string },
  limit: number,
): Promise<number[]> {
  const tokenizer = await openTokenizer(above('native-assets/starter-model'));
  const texts: { text: string; pair: null }[] = [];
  for await (const row of readRows(file)) {
    if ('problem' in row) continue;
    const text = row.values[column];
    if (text === undefined) throw new Error(`${file} has no column ${column}.`);
    texts.push({ text, pair: null });
    if (texts.length === 2000) break;
  }
  return (await tokenizer.encode(texts, limit)).map(({ ids }) => ids.length);
}
