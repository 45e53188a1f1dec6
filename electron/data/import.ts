/** A file becomes a data set: two streamed passes, the first checks and counts, the second assigns splits and writes. */
import { extname } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { throwIfCancelled } from './decode.js';
import { detectReading } from './detect.js';
import { checkRow, keptTogether } from './check.js';
import { columnsIn, type RowContent } from './content.js';
import { notesOn, Remarks, splitNote } from './import-notes.js';
import { sortLabels } from './labels.js';
import { classLimit } from './limits.js';
import { answerable } from './questions.js';
import { ProgressMeter } from './progress.js';
import { readRowsAs, rowBatches } from './rows.js';
import { RowWriter } from './row-writer.js';
import type { RowSink } from './sink.js';
import { byRarestLabel, StratifiedSplit } from './splits.js';
import { schemeOf } from './tagging.js';
import type { TagScheme } from './tags.js';
import type { ImportProgress, ImportRequest, ImportSummary, Reading, RowProblem, SplitName } from './types.js';

const keptProblems = 100;
/** A column that has not been seen in so many rows is not in the file. */
const rowsUntilColumn = 1000;

interface Source {
  readonly path: string;
  readonly reading: Reading;
  /** The split of the whole file; null where each row's is drawn or named. */
  readonly split: SplitName | null;
}

export interface ImportHooks {
  readonly onProgress?: (progress: ImportProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Imports what `request` names. No row is written before all have been checked; with `badRows` "stop" the first bad row ends the import.
 * Shares are drawn by label and seed, equal texts of a label together (splits.ts).
 * @throws StudioError `bad-data` (a bad row, a column that is not there, fewer than two labels, no training rows), `bad-file`, `bad-input`, `cancelled`; whatever the sink throws
 */
export async function importRows(
  request: ImportRequest,
  sink: RowSink,
  hooks: ImportHooks = {},
): Promise<ImportSummary> {
  checkRoles(request);
  const sources = await openSources(request);
  const shares = {
    validation: typeof request.validation === 'number' ? request.validation : 0,
    test: typeof request.test === 'number' ? request.test : 0,
  };
  if (request.splitColumn === null && shares.validation + shares.test > 0.9) {
    throw new StudioError(
      'bad-input',
      `Validation and test take ${Math.round((shares.validation + shares.test) * 100)} % of the rows; at least 10 % must be left for training.`,
      'Lower one of the shares.',
      { validation: shares.validation, test: shares.test },
    );
  }
  const drawn = new StratifiedSplit(shares, request.seed, request.task === 'multi-label' ? byRarestLabel : null);
  const meter = new ProgressMeter(2 * sources.reduce((sum, source) => sum + source.reading.bytes, 0), hooks.onProgress);

  const { scheme, notes } = await schemeIn(request, sources, hooks.signal);
  const labels = new Map<string, Record<SplitName, number>>();
  const remarks = new Remarks();
  const range = new NumberRange();
  const problems: (RowProblem & { path: string })[] = [];
  let skippedRows = 0;
  for (const source of sources) {
    const missing = new Set(
      [...columnsIn(request).map(({ column }) => column), source.split === null ? request.splitColumn : null].filter(
        (name) => name !== null,
      ),
    );
    const seen = new Set<string>();
    let rows = 0;
    const reading = rowBatches(source.path, source.reading, meter.hooks(hooks.signal, 'Checking every row'));
    for await (const batch of reading)
      for (const row of batch) {
        if ('values' in row) {
          for (const name of Object.keys(row.values)) if (seen.size < 200) seen.add(name);
          for (const name of missing) if (Object.hasOwn(row.values, name)) missing.delete(name);
          rows += 1;
          if (
            missing.size > 0 &&
            (rows >= rowsUntilColumn || source.reading.format === 'csv' || source.reading.format === 'tsv')
          )
            throw columnMissing(source.path, missing, seen);
        }
        const checked = checkRow(row, request, source.split, {
          scheme,
          wordLines: source.reading.format === 'conll',
        });
        if ('problem' in checked) {
          if (request.badRows === 'stop' && missing.size > 0 && 'values' in row)
            throw columnMissing(source.path, missing, seen);
          if (request.badRows === 'stop')
            throw new StudioError(
              'bad-data',
              `${source.path}, line ${checked.line}: ${checked.problem}.`,
              'Correct the line, or import again and leave bad rows out.',
              { path: source.path, line: checked.line },
            );
          skippedRows += 1;
          if (problems.length < keptProblems) problems.push({ ...checked, path: source.path });
          continue;
        }
        meter.rows += 1;
        const { content } = checked;
        for (const label of content.labels) {
          const counts = labels.get(label) ?? { train: 0, validation: 0, test: 0 };
          labels.set(label, counts);
          if (checked.split !== null) counts[checked.split] += 1;
        }
        if (labels.size > classLimit) throw tooManyLabels(request);
        range.add(content, request);
        for (const { line, about } of content.remarks) remarks.add(about, line);
        if (checked.split === null) drawn.count(content.stratum, keptTogether(content));
      }
    if (rows > 0 && missing.size > 0) throw columnMissing(source.path, missing, seen);
  }
  checkRows(request, meter.rows, skippedRows, problems);
  checkAnswers(request, [...labels.keys()], range, meter.rows);

  const positions: Record<SplitName, number> = { train: 0, validation: 0, test: 0 };
  const writer = new RowWriter(sink);
  let contentHash: string;
  meter.rows = 0;
  try {
    for (const source of sources)
      for await (const batch of rowBatches(source.path, source.reading, meter.hooks(hooks.signal, 'Writing rows')))
        for (const row of batch) {
          const checked = checkRow(row, request, source.split, {
            scheme,
            wordLines: source.reading.format === 'conll',
          });
          if ('problem' in checked) continue;
          const { content, line } = checked;
          const split = checked.split ?? drawn.splitOfNext(content.stratum);
          if (split === null) throw changed(source.path);
          if (checked.split === null)
            for (const label of content.labels) {
              const counts = labels.get(label);
              if (counts !== undefined) counts[split] += 1;
            }
          const { text, pair, label, messages, answers } = content;
          const full = writer.add({ split, position: positions[split], text, pair, label, messages, answers, line });
          positions[split] += 1;
          meter.rows += 1;
          if (!full) continue;
          throwIfCancelled(hooks.signal);
          await writer.pass();
        }
    if (drawn.left > 0) throw changed(request.path);
    throwIfCancelled(hooks.signal);
    contentHash = await writer.end();
  } catch (error) {
    await writer.stop();
    throw error;
  }
  if (positions.train === 0)
    throw new StudioError(
      'bad-data',
      `${request.path}: no row is left for training.`,
      'Lower the shares of validation and test, or check the split column.',
      { path: request.path },
    );
  return {
    rows: positions,
    labels: sortLabels(labels.keys()),
    range: range.found,
    splitNote: splitNote(request),
    skippedRows,
    problems,
    notes: [...notes, ...remarks.sentences(), ...notesOn(labels, positions)],
    bytes: sources.reduce((sum, source) => sum + source.reading.bytes, 0),
    contentHash,
  };
}

async function openSources(request: ImportRequest): Promise<Source[]> {
  const drawn =
    request.splitColumn !== null || typeof request.validation === 'number' || typeof request.test === 'number';
  const sources: Source[] = [
    { path: request.path, reading: await detectReading(request.path, request.reading), split: drawn ? null : 'train' },
  ];
  if (request.splitColumn !== null) return sources;
  for (const split of ['validation', 'test'] as const) {
    const path = request[split];
    if (typeof path !== 'string') continue;
    // What the user fixed was for the main file; it goes for files of its kind.
    const alike = extname(path).toLowerCase() === extname(request.path).toLowerCase();
    sources.push({ path, reading: await detectReading(path, alike ? request.reading : {}), split });
  }
  return sources;
}

const changed = (path: string) =>
  new StudioError('bad-file', `${path} changed while it was read.`, 'Import it again when nothing writes to it.', {
    path,
  });

/** One column in two roles would teach the label from the label. */
function checkRoles(request: ImportRequest): void {
  const roles = new Map<string, string>();
  const split = request.splitColumn === null ? [] : [{ role: 'split', column: request.splitColumn }];
  for (const { role, column } of [...columnsIn(request), ...split]) {
    const other = roles.get(column);
    if (other !== undefined)
      throw new StudioError(
        'bad-input',
        `The column "${column}" is chosen as ${other} and as ${role}.`,
        'Choose a column of its own for each.',
        { column },
      );
    roles.set(column, role);
  }
}

function columnMissing(path: string, missing: ReadonlySet<string>, seen: ReadonlySet<string>): StudioError {
  const names = [...missing].map((name) => `"${name}"`).join(' and ');
  return new StudioError(
    'bad-data',
    `${path} has no column ${names}. Its columns are: ${[...seen]
      .slice(0, 30)
      .map((name) => `"${name}"`)
      .join(', ')}.`,
    'Choose one of the columns; if they look wrong, check delimiter and header.',
    { path },
  );
}

/** The lowest and the highest number of a regression's rows. */
class NumberRange {
  found: { low: number; high: number } | null = null;

  add({ label }: RowContent, { task }: ImportRequest): void {
    if (task !== 'regression') return;
    const value = Number(label);
    const { low, high } = this.found ?? { low: value, high: value };
    this.found = { low: Math.min(low, value), high: Math.max(high, value) };
  }
}

const labelColumnsOf = (request: ImportRequest) =>
  columnsIn(request)
    .filter(({ role }) => role === 'label' || role === 'number')
    .map(({ column }) => `"${column}"`)
    .join(', ');

const tooManyLabels = (request: ImportRequest) =>
  new StudioError(
    'bad-data',
    `The column ${labelColumnsOf(request)} has more than ${classLimit} different labels.`,
    'Choose a column of classes, not of texts or numbers.',
    { column: labelColumnsOf(request) },
  );

function checkRows(
  request: ImportRequest,
  rows: number,
  skipped: number,
  problems: readonly (RowProblem & { path: string })[],
): void {
  const [first] = problems;
  if (rows === 0 && first === undefined)
    throw new StudioError(
      'bad-data',
      `${request.path} holds no rows, at most a line of column names.`,
      'Choose a file that holds rows.',
      { path: request.path },
    );
  if (rows === 0)
    throw new StudioError(
      'bad-data',
      `${request.path}: no row can be used; ${skipped} were left out, the first in line ${first?.line}: ${first?.problem}.`,
      'Check that columns, delimiter and encoding are right.',
      { path: request.path },
    );
}

/** What the rows ask for must differ, or there is nothing to learn. */
function checkAnswers(request: ImportRequest, labels: readonly string[], { found }: NumberRange, rows: number): void {
  const refuse = (problem: string, remedy: string) =>
    new StudioError('bad-data', `${request.path}: ${problem}`, remedy, { path: request.path });
  switch (request.task) {
    case 'classification':
      if (labels.length < 2)
        throw refuse(
          `all ${rows} rows have the same label, "${labels[0] ?? ''}".`,
          `Choose another label column than "${request.labelColumn}", or data with two or more classes.`,
        );
      return;
    case 'regression':
      if (found?.low === found?.high)
        throw refuse(
          `all ${rows} rows have the same number, ${found?.low ?? 0}.`,
          `Choose another column than "${request.labelColumn}".`,
        );
      return;
    case 'multi-label':
      if (labels.length === 0)
        throw refuse(
          `no row has a label in ${labelColumnsOf(request)}.`,
          'Choose other columns, or the sign between labels that the file has.',
        );
      return;
    case 'questions':
      if (!labels.includes(answerable[0]))
        throw refuse(
          `none of ${rows} questions has an answer.`,
          `Choose another column of answers than "${request.answersColumn}".`,
        );
      return;
    case 'tagging':
    case 'generation':
  }
}

/** Of tagged words how their tags are written, by all files together. */
async function schemeIn(
  request: ImportRequest,
  sources: readonly Source[],
  signal: AbortSignal | undefined,
): Promise<{ readonly scheme: TagScheme; readonly notes: readonly string[] }> {
  if (request.task !== 'tagging') return { scheme: 'bio', notes: [] };
  return schemeOf(
    request,
    (async function* () {
      for (const { path, reading } of sources) yield* readRowsAs(path, reading, signal === undefined ? {} : { signal });
    })(),
  );
}
