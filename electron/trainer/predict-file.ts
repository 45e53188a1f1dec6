/** A file in, a file of predictions out: streamed, so a long file needs no more memory than a short one. */
import { open, stat } from 'node:fs/promises';
import { csvField } from '../contract/csv.js';
import { StudioError } from '../contract/errors.js';
import { objectiveTable } from '../contract/objectives.js';
import { namingFile } from '../contract/problem-of.js';
import { cellOf, readRows } from '../data/index.js';
import { writeAtomically } from './atomic.js';
import { answer, type OpenPredictor, type PredictorCache } from './predictors.js';
import { answeringOf } from './answering.js';
import { marks, type Answer, type JobOf, type ResultOf } from './protocol.js';
import type { JobContext } from './server.js';

const rowsAtOnce = 128;

/**
 * Answers each row of a data file. The CSV holds every row's number, text (and pair), answer and a probability a label, or where parts of the text are marked these as JSON.
 * Rows that cannot be read are left out and counted.
 * @throws StudioError `bad-data` if the file has no such column
 */
export async function predictFile(
  job: JobOf<'predict-file'>,
  context: JobContext,
  cache: PredictorCache,
): Promise<ResultOf<'predict-file'>> {
  const model = await cache.get(job.model);
  const labels = marks(job.model.objective) ? [] : answeringOf(job.model.objective).labels;
  const { answers: kind } = objectiveTable[job.model.objective.type];
  const marking = marks(job.model.objective);
  let rows = 0;
  let skipped = 0;
  let firstSkipped: string | null = null;
  const work = async (write: (lines: string) => Promise<void>) => {
    const header = [
      'row',
      job.textColumn,
      ...(job.pairColumn === null ? [] : [job.pairColumn]),
      kind === 'number' ? 'value' : kind === 'labels' ? 'labels' : 'label',
      ...labels.map((label) => `p(${label})`),
      ...(marking ? ['spans'] : []),
    ];
    await write(csvLine(header));
    for await (const piece of pieces(job, context, (why) => {
      skipped += 1;
      firstSkipped ??= why;
    })) {
      const answers = await answerPiece(model, piece, context);
      rows += piece.length;
      await write(
        answers
          .map((one, at) =>
            csvLine([
              String(one.row),
              piece[at]?.text ?? '',
              ...(job.pairColumn === null ? [] : [piece[at]?.pair ?? '']),
              one.label,
              ...one.probabilities.map((value) => value.toPrecision(6)),
              ...(marking ? [JSON.stringify(one.spans ?? [])] : []),
            ]),
          )
          .join(''),
      );
      if (job.report) await context.emit({ type: 'answers', rows: answers });
    }
  };
  if (job.out === null) await work(async () => undefined);
  else {
    await writeAtomically(job.out, async (temporaryPath) => {
      const handle = await open(temporaryPath, 'w');
      try {
        await work(async (lines) => void (await handle.appendFile(lines).catch(namingFile(temporaryPath))));
      } finally {
        await handle.close();
      }
    });
  }
  return { type: 'predict-file', rows, skipped, firstSkipped, out: job.out };
}

/** `index` counts the file's data rows from 0, those left out included, so that an answer can be put beside its row. */
interface Row {
  readonly index: number;
  readonly text: string;
  readonly pair: string | null;
}

async function* pieces(
  job: JobOf<'predict-file'>,
  context: JobContext,
  skip: (why: string) => void,
): AsyncGenerator<Row[]> {
  const total = (await stat(job.file)).size;
  let read = 0;
  let piece: Row[] = [];
  let index = -1;
  let found = false;
  for await (const row of readRows(
    job.file,
    {},
    {
      onBytes: (done) => {
        read = done;
      },
    },
  )) {
    index += 1;
    if ('problem' in row) {
      skip(`line ${row.line}: ${row.problem}`);
      continue;
    }
    const text = cellOf(row.values, job.textColumn);
    if (text === undefined) {
      // A later row of a JSON file may lack a key; if none had it so far, the name is wrong.
      if (!found) checkColumns(job, row.values);
      skip(`line ${row.line}: it has no "${job.textColumn}"`);
      continue;
    }
    found = true;
    piece.push({ index, text, pair: job.pairColumn === null ? null : (cellOf(row.values, job.pairColumn) ?? '') });
    if (piece.length < rowsAtOnce) continue;
    yield piece;
    piece = [];
    await context.breathe();
    await context.emit({ type: 'progress', done: read, total, message: 'Answering' });
  }
  if (piece.length > 0) yield piece;
}

function checkColumns(job: JobOf<'predict-file'>, values: Readonly<Record<string, string>>): void {
  for (const column of [job.textColumn, job.pairColumn]) {
    if (column === null || cellOf(values, column) !== undefined) continue;
    throw new StudioError(
      'bad-data',
      `${job.file} has no column "${column}"; it has ${Object.keys(values)
        .map((name) => `"${name}"`)
        .join(', ')}.`,
      'Name one of its columns.',
      { file: job.file, column },
    );
  }
}

async function answerPiece(model: OpenPredictor, piece: readonly Row[], context: JobContext): Promise<Answer[]> {
  const answers = await answer(model, piece, context.breathe);
  return answers.map(({ label, probabilities, value, spans }, at) => ({
    row: piece[at]?.index ?? 0,
    label,
    probabilities,
    value,
    ...(spans ? { spans } : {}),
  }));
}

/** Texts and labels come from the user's file and from models; none is a formula where a spreadsheet opens it. */
const csvLine = (cells: readonly string[]): string => `${cells.map(csvField).join(',')}\r\n`;
