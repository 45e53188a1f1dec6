/** How a file looks before it is imported: real rows, columns with their facts and suggested roles. */
import { cellOf } from './cells.js';
import { detectReading } from './detect.js';
import {
  numbersIn,
  suggestGeneration,
  suggestMultiLabel,
  suggestQuestions,
  suggestRoles,
  suggestTagging,
  suggestTask,
} from './roles.js';
import { classNames } from './readers/parquet.js';
import { readRowsAs } from './rows.js';
import type { FilePreview, ReadingOptions } from './types.js';
import { StudioError } from '../contract/errors.js';

const sampledRows = 1000;
const shownRows = 50;
const shownProblems = 20;
const shownCharacters = 2000;

/**
 * Reads no more than the first thousand rows. Cells are shown up to 2,000 characters.
 * @throws StudioError as `detectReading`, and `bad-data` when no row can be read
 */
export async function previewFile(path: string, options: ReadingOptions = {}): Promise<FilePreview> {
  const reading = await detectReading(path, options);
  const columns = new Map<string, { readonly distinct: Map<string, number>; filled: number; characters: number }>();
  const shown: Readonly<Record<string, string>>[] = [];
  const problems: { line: number; message: string }[] = [];
  let rowsSampled = 0;
  for await (const row of readRowsAs(path, reading)) {
    if (rowsSampled + problems.length >= sampledRows) break;
    if ('problem' in row) {
      problems.push({ line: row.line, message: row.problem });
      continue;
    }
    rowsSampled += 1;
    for (const [name, value] of Object.entries(row.values)) {
      const column = columns.get(name) ?? { distinct: new Map<string, number>(), filled: 0, characters: 0 };
      columns.set(name, column);
      if (value.trim() === '') continue;
      column.filled += 1;
      column.characters += value.length;
      const key = value.slice(0, 200);
      column.distinct.set(key, (column.distinct.get(key) ?? 0) + 1);
    }
    if (shown.length < shownRows) shown.push(row.values);
  }
  if (rowsSampled === 0) {
    const [first] = problems;
    throw new StudioError(
      'bad-data',
      first === undefined
        ? `${path} has a header but no rows.`
        : `${path}: no row can be read. Line ${first.line}: ${first.message}.`,
      'Check that format, encoding and delimiter are right.',
      { path },
    );
  }
  const names = [...columns.keys()];
  const facts = [...columns].map(([name, { distinct, filled, characters }]) => ({
    name,
    distinct: distinct.size,
    empty: rowsSampled - filled,
    meanLength: filled === 0 ? 0 : characters / filled,
    values: [...distinct.keys()],
  }));
  const roles = suggestRoles(facts, rowsSampled);
  const generation = suggestGeneration(facts);
  const tagging = suggestTagging(names, shown, reading.format === 'parquet' ? await classNames(path) : new Map());
  const questions = suggestQuestions(names, shown);
  const multiLabel = suggestMultiLabel(facts, roles);
  return {
    path,
    bytes: reading.bytes,
    format: reading.format,
    encoding: reading.encoding,
    delimiter: reading.delimiter,
    header: reading.header,
    columns: facts.map((column) => ({
      name: column.name,
      distinct: column.distinct,
      empty: column.empty,
      meanLength: column.meanLength,
      numbers: numbersIn(column),
      suggestedRole: roles.get(column.name) ?? 'ignore',
    })),
    rows: shown.map((values) => names.map((name) => (cellOf(values, name) ?? '').slice(0, shownCharacters))),
    rowsSampled,
    problems: problems.slice(0, shownProblems),
    suggestedTask: suggestTask({ columns: facts, tagging, questions, generation, multiLabel, roles }),
    tagging,
    questions,
    generation,
    multiLabel,
  };
}
