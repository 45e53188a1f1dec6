/** The formats: one reader each, registered in one table. */
import type { DataFormat } from '../types.js';
import { conllReader } from './conll.js';
import { csvReader } from './csv.js';
import { jsonReader } from './json.js';
import { jsonlReader } from './jsonl.js';
import { parquetReader } from './parquet.js';
import type { Reader } from './reader.js';
import { squadReader } from './squad.js';
import { textReader } from './text.js';

export const readers: { readonly [F in DataFormat]: Reader } = {
  csv: csvReader,
  tsv: csvReader,
  json: jsonReader,
  jsonl: jsonlReader,
  parquet: parquetReader,
  text: textReader,
  conll: conllReader,
  squad: squadReader,
};
