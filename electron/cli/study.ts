/** `study`, `study list` and `study report`. */
import { extname, resolve } from 'node:path';
import { reportFormatSchema, type Report, type ReportTable, type Study } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { studyWithin } from '../contract/study.js';
import { parseStudy, studyKeys } from '../studio/plan.js';
import type { Command } from './command.js';
import { duration, percent, table, whole } from './output.js';
import { readJson } from './runs.js';
import { findDataset, findModel, finishJob, follow, project, tellDeviceTest, type Session } from './session.js';
import { RunTeller } from './watch.js';

const study: Command = {
  name: 'study',
  arguments: 'STUDY.json',
  positionals: [1, 1],
  about:
    'Carries out a study and prints its report. Given the same file again it goes on where it was; a report (JSON) is repeated. Ctrl-C pauses.',
  options: { again: { about: 'Starts anew even where the project has this study already' } },
  details: studyKeys,
  async run(input, session) {
    const plan = parseStudy(studyWithin(await readJson(input.positional(0))));
    const { id: projectId } = await project(session);
    const model = await findModel(session, plan.model);
    for (const name of plan.data) await findDataset(session, projectId, name);
    const ended = await watchStudy(session, () =>
      session.handlers['studies.start']({
        projectId,
        study: { ...plan, model: model.name },
        goOn: !input.has('again'),
      }),
    );
    if (ended.state === 'paused') {
      session.out.event(
        { event: 'paused', study: ended.id },
        `Study ${ended.id} is paused. Go on with the same command.`,
      );
      return 130;
    }
    if (ended.state !== 'finished') throw failureOfStudy(ended);
    return tellReport(session, ended.id);
  },
};

const list: Command = {
  name: 'study list',
  arguments: '',
  positionals: [0, 0],
  about: 'Lists the studies of the project.',
  options: {},
  async run(_input, session) {
    const { id: projectId } = await project(session);
    const studies = await session.handlers['studies.list']({ projectId });
    for (const { id, kind, name, state, progress, createdAt } of studies)
      session.out.event(
        { event: 'study', study: id, kind, name, state, done: progress.done, total: progress.total, createdAt },
        `${id}  ${state}, ${progress.done} of ${progress.total} runs  ${name}`,
      );
    if (studies.length === 0) session.out.text('There are no studies yet.');
    return 0;
  },
};

const report: Command = {
  name: 'study report',
  arguments: 'STUDY',
  positionals: [1, 1],
  about:
    'Prints the report of a study by its number, or writes it to a file; of one that is not finished, what its runs say so far.',
  options: {
    out: { value: 'FILE', about: 'Writes the report there instead of printing it' },
    format: {
      value: 'FORMAT',
      about: 'What to write; default: as the file is named',
      choices: reportFormatSchema.options,
    },
  },
  async run(input, session) {
    const out = input.text('out');
    const wanted = input.text('format');
    if (out === null) {
      if (wanted === null) return tellReport(session, input.id(0));
      throw new StudioError('bad-input', '--format needs --out FILE.', 'Name the file to write.', { option: 'out' });
    }
    const format = reportFormatSchema.safeParse(wanted ?? extname(out).slice(1).toLowerCase());
    if (!format.success)
      throw new StudioError(
        'bad-input',
        `--out ${out}: its name does not say what to write.`,
        `Add --format, one of ${reportFormatSchema.options.join(', ')}.`,
        { option: 'format' },
      );
    const id = input.id(0);
    const path = resolve(out);
    await finishJob(session, () => session.handlers['studies.exportReport']({ id, format: format.data, path }));
    session.out.event({ event: 'report-file', study: id, format: format.data, path }, `Wrote ${path}.`);
    return 0;
  },
};

/** What a study that did not finish is reported as. */
function failureOfStudy({ id, state, problem }: Study): StudioError {
  const goOn = 'Go on with the same command.';
  if (problem)
    return new StudioError(problem.code, problem.message, [problem.hint, goOn].filter(Boolean).join(' '), {
      ...problem.context,
      study: id,
    });
  return new StudioError(state === 'cancelled' ? 'cancelled' : 'trainer-lost', `Study ${id} is ${state}.`, goOn, {
    study: id,
  });
}

/** Starts or takes up a study and waits until it stops; tells its runs as they come. Ctrl-C pauses it. */
async function watchStudy(session: Session, start: () => Promise<Study>): Promise<Study> {
  const { handlers, out } = session;
  const tellers = new Map<number, RunTeller>();
  let told = '';
  return follow(
    session,
    async () => {
      const started = await start();
      const { id, name, progress } = started;
      out.event(
        { event: 'study', study: id, kind: started.kind, name, total: progress.total },
        `Study ${id}: ${name}, ${whole(progress.total)} runs`,
      );
      return started;
    },
    (event, { id, state }) => {
      if (state === 'finished') return undefined;
      tellDeviceTest(session, event);
      if (event.event === 'run' && event.data.study?.id === id) {
        const teller = tellers.get(event.data.id) ?? new RunTeller(session, event.data);
        tellers.set(event.data.id, teller);
        teller.state(event.data);
      }
      if (event.event === 'metrics') tellers.get(event.data.runId)?.metrics(event.data);
      if (event.event !== 'study' || event.data.id !== id) return undefined;
      const { progress, state: now } = event.data;
      const left = progress.secondsLeft === null ? '' : `, about ${duration(progress.secondsLeft)} left`;
      const line = `${progress.done} of ${progress.total} runs${left}${progress.doing ? `: ${progress.doing}` : ''}`;
      if (line !== told) out.event({ event: 'progress', study: id, ...progress }, line);
      told = line;
      return now === 'running' ? undefined : event.data;
    },
    ({ id }) => void handlers['studies.pause']({ id }).catch(() => undefined),
    (started) => (started.state === 'finished' ? started : undefined),
  );
}

async function tellReport(session: Session, id: number): Promise<number> {
  const { whole: all, report: told } = await session.handlers['studies.report']({ id });
  session.out.event({ event: 'report', study: id, whole: all, ...told }, describe(told, all));
  return 0;
}

function describe({ title, question, protocol, verdicts, tables, notes }: Report, all: boolean): string {
  const part = (head: string, lines: readonly string[]) => (lines.length > 0 ? ['', head, ...lines] : []);
  return [
    all ? title : `${title} (not finished: what its runs say so far)`,
    question,
    ...part(
      'Verdicts',
      verdicts.map(({ text }) => `  ${text}`),
    ),
    ...tables.flatMap((one) => ['', one.title, ...printed(one), ...(one.note ? [one.note] : [])]),
    ...part(
      'Notes',
      notes.map((note) => `  ${note}`),
    ),
    ...part(
      'Protocol',
      protocol.map((line) => `  ${line}`),
    ),
  ].join('\n');
}

type Cell = ReportTable['rows'][number]['cells'][string];

function printed({ columns, rows }: ReportTable): string[] {
  if (rows.length === 0) return ['  nothing yet'];
  return [
    table(
      columns.map(({ title }) => title),
      rows.map(({ cells }) => columns.map(({ key, unit }) => cellText(cells[key] ?? null, unit))),
    ),
  ];
}

function cellText(cell: Cell, unit: ReportTable['columns'][number]['unit']): string {
  if (cell === null) return '–';
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number') return numberText(cell, unit);
  const { mean, interval } = cell;
  const ends = interval ? ` (${numberText(interval.low, unit)} to ${numberText(interval.high, unit)})` : '';
  return `${numberText(mean, unit)}${ends}`;
}

function numberText(value: number, unit: ReportTable['columns'][number]['unit']): string {
  switch (unit) {
    case 'share':
      return percent(value);
    case 'points':
    case 'percent':
      return value.toFixed(1);
    case 'bytes':
      return value < 1e6 ? `${(value / 1e3).toFixed(1)} kB` : `${(value / 1e6).toFixed(1)} MB`;
    case 'seconds':
      return `${value.toPrecision(3)} s`;
    case 'count':
      return whole(value);
    case 'nats':
      return value.toFixed(4);
    case 'number':
    case null:
      return Number(value.toPrecision(4)).toString();
  }
}

export const studyCommands: readonly Command[] = [study, list, report];
