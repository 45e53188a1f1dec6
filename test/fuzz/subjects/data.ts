/** Files of rows: as the preview, the import and whoever reads rows take them. */
import { join } from 'node:path';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { importRequestSchema } from '../../../electron/contract/entities.js';
import { importRows, previewFile, readRows, type DataFormat } from '../../../electron/data/index.js';
import { tinyRows } from '../../helpers/tiny-model.js';
import type { FileSet, Subject } from '../subject.js';

const rows = tinyRows(40).map(({ text, label }) => ({ text, label }));
const only = (name: string, content: string | Buffer): FileSet => new Map([[name, Buffer.from(content)]]);
const lines = (list: readonly (readonly string[])[], sign: string) => list.map((row) => row.join(sign)).join('\n');
const table = [['text', 'label'], ...rows.map(({ text, label }) => [text, label])];

const chat = {
  messages: [
    { role: 'user', content: 'hello' },
    { role: 'assistant', content: 'hi' },
  ],
};
const article = (title: string) => ({
  title,
  paragraphs: [
    {
      context: 'The sparrow sat on a table near the house.',
      qas: [
        { id: '1', question: 'Who sat?', answers: [{ text: 'sparrow', answer_start: 4 }], is_impossible: false },
        { id: '2', question: 'Why?', answers: [], is_impossible: true },
      ],
    },
  ],
});
const sentences = 'EU B-ORG\nrejects O\nGerman B-MISC\ncall O\n\nPeter B-PER\nBlackburn I-PER\n\n'.repeat(5);

const whole: Readonly<Record<string, { readonly formats: readonly DataFormat[]; readonly files: readonly FileSet[] }>> =
  {
    csv: {
      formats: ['csv'],
      files: [
        only(
          'rows.csv',
          lines(
            table.map(([text, label]) => [`"${text}, ""so"""`, label ?? '']),
            ',',
          ),
        ),
        only('rows.csv', `\u{FEFF}${lines(table, ';')}`),
        only('rows.csv', Buffer.from(lines(table, ',').replaceAll('a', 'é'), 'latin1')),
        only('rows.csv', Buffer.from(`\u{FEFF}${lines(table, ',')}`, 'utf16le')),
      ],
    },
    tsv: { formats: ['tsv'], files: [only('rows.tsv', lines(table, '\t'))] },
    text: {
      formats: ['text'],
      files: [only('rows.txt', rows.map(({ text, label }) => `__label__${label} ${text}`).join('\r\n'))],
    },
    json: {
      formats: ['json'],
      files: [
        only('rows.json', JSON.stringify(rows)),
        only('rows.json', JSON.stringify({ version: 1, data: rows }, null, 1)),
        only('rows.json', JSON.stringify(rows.map((row, id) => ({ ...chat, ...row, id, n: [id, null, { a: true }] })))),
      ],
    },
    jsonl: {
      formats: ['jsonl'],
      files: [only('rows.jsonl', rows.map((row) => JSON.stringify({ ...row, ...chat })).join('\n'))],
    },
    conll: { formats: ['conll'], files: [only('rows.conll', `-DOCSTART- O\n\n# id 1\n${sentences}`)] },
    squad: {
      formats: ['squad'],
      files: [only('rows.json', JSON.stringify({ version: 'v2.0', data: ['a', 'b', 'c'].map(article) }))],
    },
  };

const request = (path: string, text: string, label: string) =>
  importRequestSchema.parse({
    projectId: 1,
    name: 'n',
    path,
    textColumn: text,
    labelColumn: label,
    test: 0.2,
    badRows: 'skip',
  });

/** Preview, all rows as the format that is asked for, and an import by the suggested columns. */
async function readAs(path: string, formats: readonly DataFormat[]): Promise<void> {
  for (const format of formats) for await (const row of readRows(path, { format })) void row;
  const { columns } = await previewFile(path);
  const named = (role: string) => columns.find(({ suggestedRole }) => suggestedRole === role)?.name;
  const [text, label] = [named('text'), named('label')];
  if (text !== undefined && label !== undefined)
    await importRows(request(path, text, label), { write: async () => undefined });
}

const textual = (name: string): Subject => {
  const { formats, files } = whole[name] ?? { formats: [], files: [] };
  const [file = ''] = files[0]?.keys() ?? [];
  return {
    name,
    share: 9,
    seeds: async () => files,
    made: fc
      .oneof(
        fc.string({ unit: 'binary' }),
        fc.json(),
        fc.string({ unit: fc.constantFrom(...'[]{}":,;|\t\r\n \\ab1-O') }),
      )
      .map((text) => only(file, text)),
    read: (folder) => readAs(join(folder, file), formats),
  };
};

/** Columns of several types and codecs, small pages, several row groups. */
const parquetFiles = (): FileSet[] =>
  (['UNCOMPRESSED', 'SNAPPY'] as const).flatMap((codec) => [
    only(
      'rows.parquet',
      Buffer.from(
        parquetWriteBuffer({
          codec,
          rowGroupSize: 15,
          columnData: [
            { name: 'text', data: rows.map(({ text }) => text), type: 'STRING' },
            { name: 'label', data: rows.map(({ label }) => label), type: 'STRING' },
            { name: 'number', data: rows.map((_, i) => i / 3), type: 'DOUBLE' },
            { name: 'big', data: rows.map((_, i) => BigInt(i)), type: 'INT64' },
            { name: 'list', data: rows.map((_, i) => [i, i + 1]), type: 'JSON' },
          ],
        }),
      ),
    ),
  ]);

const parquet: Subject = {
  name: 'parquet',
  share: 12,
  seeds: async () => parquetFiles(),
  made: fc
    .uint8Array({ maxLength: 200 })
    .map((bytes) => only('rows.parquet', Buffer.from(`PAR1${Buffer.from(bytes).toString('latin1')}PAR1`, 'latin1'))),
  read: (folder) => readAs(join(folder, 'rows.parquet'), ['parquet']),
};

export const dataSubjects: readonly Subject[] = [...Object.keys(whole).map(textual), parquet];
