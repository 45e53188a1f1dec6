/** A file becomes a data set: two streamed passes, the first checks and counts, the second assigns splits and writes. */
import { createHash } from 'node:crypto';
import { basename, extname } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { splitNames } from '../contract/entities.js';
import type { Task } from '../contract/objectives.js';
import { throwIfCancelled } from './decode.js';
import { detectReading } from './detect.js';
import { checkRow, keptTogether, type CheckedRow } from './check.js';
import { columnsIn } from './content.js';
import { sortLabels } from './labels.js';
import { classLimit } from './limits.js';
import { answerable } from './questions.js';
import { ProgressMeter } from './progress.js';
import { readRowsAs } from './rows.js';
import { rowsPerBatch, type RowSink } from './sink.js';
import { byRarestLabel, StratifiedSplit } from './splits.js';
import { schemeOf } from './tagging.js';
import type { TagScheme } from './tags.js';
import type {
  ImportedRow,
  ImportProgress,
  ImportRequest,
  ImportSummary,
  Reading,
  RowProblem,
  SplitName,
} from './types.js';

const keptProblems = 100;
/** A column that has not been seen in so many rows is not in the file. */
const rowsUntilColumn = 1000;
const charactersPerBatch = 1 << 20;

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
    for await (const row of readRowsAs(source.path, source.reading, meter.hooks(hooks.signal, 'Checking every row'))) {
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
      for (const label of checked.labels) {
        const counts = labels.get(label) ?? { train: 0, validation: 0, test: 0 };
        labels.set(label, counts);
        if (checked.split !== null) counts[checked.split] += 1;
      }
      if (labels.size > classLimit) throw tooManyLabels(request);
      range.add(checked, request);
      for (const { line, about } of checked.remarks) remarks.add(about, line);
      if (checked.split === null) drawn.count(checked.stratum, keptTogether(checked));
    }
    if (rows > 0 && missing.size > 0) throw columnMissing(source.path, missing, seen);
  }
  checkRows(request, meter.rows, skippedRows, problems);
  checkAnswers(request, [...labels.keys()], range, meter.rows);

  const hash = createHash('sha256');
  const positions: Record<SplitName, number> = { train: 0, validation: 0, test: 0 };
  let batch: ImportedRow[] = [];
  let characters = 0;
  const flush = async () => {
    throwIfCancelled(hooks.signal);
    if (batch.length > 0) await sink.write(batch);
    batch = [];
    characters = 0;
  };
  meter.rows = 0;
  for (const source of sources) {
    for await (const row of readRowsAs(source.path, source.reading, meter.hooks(hooks.signal, 'Writing rows'))) {
      const checked = checkRow(row, request, source.split, {
        scheme,
        wordLines: source.reading.format === 'conll',
      });
      if ('problem' in checked) continue;
      const split = checked.split ?? drawn.splitFor(checked.stratum, keptTogether(checked));
      if (checked.split === null)
        for (const label of checked.labels) {
          const counts = labels.get(label);
          if (counts !== undefined) counts[split] += 1;
        }
      batch.push({
        split,
        position: positions[split],
        text: checked.text,
        pair: checked.pair,
        label: checked.label,
        messages: checked.messages,
        answers: checked.answers,
        line: checked.line,
      });
      positions[split] += 1;
      meter.rows += 1;
      characters += checked.text.length + (checked.pair?.length ?? 0);
      const { text, pair, label, messages, answers } = checked;
      hash.update(JSON.stringify([split, text, pair, label, ...[messages, answers].filter((part) => part !== null)]));
      if (batch.length >= rowsPerBatch || characters >= charactersPerBatch) await flush();
    }
  }
  await flush();
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
    contentHash: hash.digest('hex'),
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

  add({ label }: CheckedRow, { task }: ImportRequest): void {
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

const linesNamed = 5;

/** What was read otherwise than it stands, counted by what it is. */
class Remarks {
  private readonly known = new Map<string, number[]>();
  private readonly counts = new Map<string, number>();

  add(about: string, line: number): void {
    const lines = this.known.get(about) ?? [];
    this.known.set(about, lines);
    if (lines.length < linesNamed) lines.push(line);
    this.counts.set(about, (this.counts.get(about) ?? 0) + 1);
  }

  /** "23 answers stood …: lines 3, 17, 20, 21, 40 and 18 more." */
  sentences(): string[] {
    return [...this.known].map(([about, lines]) => {
      const count = this.counts.get(about) ?? 0;
      const more = count > lines.length ? ` and ${count - lines.length} more` : '';
      return `${count} ${about}: ${count === 1 ? 'line' : 'lines'} ${lines.join(', ')}${more}.`;
    });
  }
}

/** What keeps its share; left out: nothing. */
const drawnBy: { readonly [T in Task]?: string } = {
  classification: 'by label ',
  'multi-label': "by each row's rarest label ",
};

function splitNote(request: ImportRequest): string {
  if (request.splitColumn !== null) return `By the column "${request.splitColumn}".`;
  const files = (['validation', 'test'] as const)
    .filter((split) => typeof request[split] === 'string')
    .map((split) => `${split} from ${basename(String(request[split]))}`);
  const shares = (['validation', 'test'] as const).flatMap((split) => {
    const share = request[split];
    return typeof share === 'number' && share > 0 ? [`${Number((share * 100).toFixed(1))} % ${split}`] : [];
  });
  const drawn =
    shares.length > 0
      ? [
          `${shares.join(' and ')} drawn ${drawnBy[request.task] ?? ''}with seed ${request.seed}, ${togetherIn(request)} kept together`,
        ]
      : [];
  const parts = [...files, ...drawn];
  return parts.length === 0
    ? 'All rows are for training.'
    : `${parts.join('; ')}.`.replace(/^./, (letter) => letter.toUpperCase());
}

function togetherIn(request: ImportRequest): string {
  switch (request.task) {
    case 'generation':
      return request.columns.form === 'text' ? 'equal texts' : 'equal prompts';
    case 'questions':
      return request.groupColumn === null ? 'questions of one context' : `questions of one "${request.groupColumn}"`;
    case 'tagging':
    case 'classification':
    case 'regression':
    case 'multi-label':
      return 'equal texts';
  }
}

function notesOn(
  labels: ReadonlyMap<string, Readonly<Record<SplitName, number>>>,
  rows: Readonly<Record<SplitName, number>>,
): string[] {
  const notes: string[] = [];
  const unseen = [...labels].filter(([, counts]) => counts.train === 0).map(([label]) => `"${label}"`);
  if (unseen.length > 0)
    notes.push(
      `${unseen.length === 1 ? 'The label' : 'The labels'} ${unseen.slice(0, 5).join(', ')}${unseen.length > 5 ? ` and ${unseen.length - 5} more` : ''} ${unseen.length === 1 ? 'has' : 'have'} no training rows: they cannot be learned.`,
    );
  for (const split of splitNames)
    if (split !== 'train' && rows[split] === 0)
      notes.push(
        split === 'validation'
          ? 'There are no validation rows: runs cannot stop early or keep their best state.'
          : 'There are no test rows: runs get no test score.',
      );
  return notes;
}
