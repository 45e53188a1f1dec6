/** `predict`, `export`, `devices` and `benchmark`: what is done with runs, and with this machine. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { answerWordsOf } from '../contract/answer-words.js';
import {
  answeredFileSchema,
  artefactSchema,
  exportFormatSchema,
  skippedInWords,
  type Answer,
  type DeviceReport,
} from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { parsePlan } from '../studio/plan.js';
import type { Command } from './command.js';
import { duration, megabytes, percent, table, whole } from './output.js';
import { findDataset, findModel, finishJob, project, tellDeviceTest, tellJob, type Session } from './session.js';

const predict: Command = {
  name: 'predict',
  arguments: 'RUN',
  positionals: [1, 1],
  about: 'Answers a text or a pair, or every row of a file, with a finished run: a label, several, or a number.',
  options: {
    text: { value: 'TEXT', about: 'The text' },
    pair: { value: 'TEXT', about: 'Second text of a pair' },
    file: { value: 'FILE', about: 'Data file whose rows are labelled' },
    'text-column': { value: 'COLUMN', about: 'Column of the text, with --file' },
    'pair-column': { value: 'COLUMN', about: 'Column of the second text, with --file' },
    out: { value: 'FILE', about: 'CSV to write, with --file' },
  },
  async run(input, session) {
    const id = input.id(0);
    const [text, file] = [input.text('text'), input.text('file')];
    if ((text === null) === (file === null))
      throw new StudioError('bad-input', 'predict needs either --text or --file.', 'See peft-studio predict --help.');
    if (text !== null) {
      if (text === '') throw new StudioError('bad-input', '--text is empty.', 'Give a text to label.');
      const [answer] = await session.handlers['playground.predict']({
        runIds: [id],
        text,
        pair: input.text('pair'),
        untrained: false,
      });
      if (answer?.problem) throw StudioError.fromProblem(answer.problem);
      if (answer) tellAnswer(session, { ...answer, row: 0 });
      return 0;
    }
    const out = input.text('out');
    const request = {
      runId: id,
      path: resolve(file ?? ''),
      textColumn: input.required('text-column'),
      pairColumn: input.text('pair-column'),
      out: out === null ? null : resolve(out),
      report: true,
    };
    const { result } = await finishJob(
      session,
      () => session.handlers['playground.predictFile'](request),
      (event, jobId) => {
        if (event.event === 'answers' && event.data.jobId === jobId)
          for (const answer of event.data.rows) tellAnswer(session, answer, out === null);
        if (event.event === 'job' && out !== null)
          session.out.progress(
            `${event.data.message} ${event.data.total ? percent(event.data.done / event.data.total) : ''}`,
          );
      },
    );
    if (out !== null) session.out.text(`Wrote ${out}.`);
    const left = skippedInWords(answeredFileSchema.parse(result));
    if (left !== null) session.out.note(left);
    return 0;
  },
};

function tellAnswer({ out }: Session, { row, kind, label, probabilities, value, spans }: Answer, shown = true): void {
  if (spans) {
    const marked = spans.map(
      ({ text, type, probability }) =>
        `${type === '' ? text || 'no answer' : `${type} ${text}`} ${percent(probability)}`,
    );
    out.event(
      { event: 'prediction', row, label, probabilities, spans },
      shown ? `${row}\t${label}\t${marked.join(', ')}` : null,
    );
    return;
  }
  const ranked = Object.entries(probabilities)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([name, value]) => `${name} ${percent(value)}`);
  const sorted = { label, probabilities };
  const told = {
    number: { value },
    classes: sorted,
    entities: sorted,
    span: sorted,
    labels: { labels: Object.keys(probabilities).filter((name) => (probabilities[name] ?? 0) >= 0.5), probabilities },
  }[kind];
  out.event(
    { event: 'prediction', row, ...told },
    shown ? [row, label === '' ? 'none' : label, ...(kind === 'number' ? [] : [ranked.join(', ')])].join('\t') : null,
  );
}

const words: Command = {
  name: 'words',
  arguments: 'RUN',
  positionals: [1, 1],
  about: 'Shows what a soft prompt says: the words of the vocabulary nearest to each virtual token of a finished run.',
  options: { nearest: { value: 'COUNT', about: 'Words a virtual token; default 5' } },
  async run(input, session) {
    const id = input.id(0);
    const count = input.number('nearest', 1, 50, true) ?? 5;
    const { tokens } = await session.handlers['runs.virtualWords']({ id, count });
    if (tokens === null)
      throw new StudioError(
        'bad-input',
        `Run ${id} has no soft prompt, so no words are near to it.`,
        'Choose a run of prompt tuning, or of P-tuning version 1.',
        { run: id },
      );
    for (const [token, nearest] of tokens.entries())
      session.out.event(
        { event: 'virtual-token', token: token + 1, nearest },
        `${token + 1}\t${nearest.map(({ word, similarity }) => `${word} ${similarity.toFixed(2)}`).join(', ')}`,
      );
    return 0;
  },
};

const exportRun: Command = {
  name: 'export',
  arguments: 'RUN',
  positionals: [1, 1],
  about: 'Exports a finished run and proves the export: it is reloaded and compared with the live run.',
  options: {
    format: { value: 'FORMAT', about: 'What to write', required: true, choices: exportFormatSchema.options },
    to: { value: 'DIR', about: 'New or empty folder', required: true },
  },
  async run(input, session) {
    const runId = input.id(0);
    const format = exportFormatSchema.parse(input.required('format'));
    const folder = resolve(input.required('to'));
    const { projectId, plan } = await session.handlers['runs.get']({ id: runId });
    await finishJob(session, () => session.handlers['exports.start']({ runId, format, folder }), tellJob(session));
    const made = (await session.handlers['exports.list']({ projectId })).find(
      (artefact) => artefact.runId === runId && artefact.folder === folder && artefact.format === format,
    );
    const { bytes, proof } = artefactSchema.parse(made);
    const { one, difference } = answerWordsOf(plan.objective);
    session.out.event(
      { event: 'export', run: runId, format, folder, bytes, proof },
      `Exported to ${folder} (${megabytes(bytes)}). Proof: on ${proof.rows} rows the largest difference of ${difference} is ${proof.largestDifference.toExponential(1)}, ${proof.sameLabels ? '' : 'NOT '}every ${one} the same.`,
    );
    return 0;
  },
};

const devices: Command = {
  name: 'devices',
  arguments: '',
  positionals: [0, 0],
  about:
    'Tests every device anew: a training step on it must give what the CPU gives. A run tests by itself what has no result on this machine.',
  options: {},
  async run(_, session) {
    const { handlers, out, events, interrupted } = session;
    let jobId: string | null = null;
    const stop = events.listen((event) => {
      jobId = tellDeviceTest(session, event) ?? jobId;
    });
    const cancel = () => jobId !== null && void handlers['jobs.cancel']({ jobId });
    interrupted.addEventListener('abort', cancel, { once: true });
    const reports = await handlers['devices.test']({}).finally(() => {
      stop();
      interrupted.removeEventListener('abort', cancel);
    });
    for (const report of reports) out.event({ event: 'device', ...report }, null);
    const row = ({ id, title, status, secondsPerStep, difference, reason, inUse }: DeviceReport) => [
      id,
      title,
      status,
      secondsPerStep === null ? '–' : secondsPerStep.toFixed(3),
      difference === null ? '–' : difference.toExponential(1),
      [inUse ? 'in use' : '', reason ?? ''].filter(Boolean).join('; '),
    ];
    out.text(table(['device', 'name', 'test', 's/step', 'difference', ''], reports.map(row)));
    return 0;
  },
};

const benchmarkMethods = [
  { type: 'lora' },
  { type: 'bottleneck' },
  { type: 'bitfit' },
  { type: 'head' },
  { type: 'full' },
] as const;

const benchmark: Command = {
  name: 'benchmark',
  arguments: '',
  positionals: [0, 0],
  about:
    'Measures step time, tokens a second and peak memory of each method on this machine, by real steps on real rows.',
  options: {
    model: { value: 'NAME|FOLDER', about: 'Base model; default: the starter' },
    data: { value: 'NAME', about: 'Data set of the project; default: the bundled sample' },
    'batch-size': { value: 'ROWS', about: 'Rows a step; default 16' },
    'max-length': { value: 'TOKENS', about: 'Tokens kept of a row; default 128, or what the model takes' },
  },
  async run(input, session) {
    const { handlers, out } = session;
    const wanted = input.text('model');
    const model =
      wanted === null
        ? (await handlers['models.list']({})).find(({ builtIn }) => builtIn)
        : await findModel(session, wanted);
    if (!model) throw new StudioError('not-found', 'There is no starter model.', 'Name one with --model.');
    const { projectId, data } = await benchmarkData(session, input.text('data'));
    const batchSize = input.number('batch-size', 1, 4096, true) ?? 16;
    const maxLength = input.number('max-length', 4, 8192, true) ?? Math.min(128, model.maxLength);
    const rows: (string | number)[][] = [];
    for (const method of benchmarkMethods) {
      out.progress(`Measuring ${method.type}`);
      const started = performance.now();
      const plan = parsePlan({ model: model.name, data, method, training: { batchSize, maxLength, maxSteps: 100 } });
      const { secondsPerStep, tokensPerSecond, peakMemoryBytes, trainableParameters, totalParameters } = await handlers[
        'runs.estimate'
      ]({ projectId, plan });
      out.event(
        {
          event: 'benchmark',
          method: method.type,
          model: model.name,
          data,
          batchSize,
          maxLength,
          secondsPerStep,
          tokensPerSecond,
          peakMemoryBytes,
          trainableParameters,
          totalParameters,
        },
        null,
      );
      rows.push([
        method.type,
        secondsPerStep.toFixed(4),
        whole(tokensPerSecond),
        whole(peakMemoryBytes / 1e6),
        percent(trainableParameters / totalParameters),
        duration((performance.now() - started) / 1000),
      ]);
    }
    out.text(
      `${model.name} on ${data}, batches of ${batchSize} rows of at most ${maxLength} tokens\n\n${table(['method', 's/step', 'tokens/s', 'peak MB', 'trained', 'measured in'], rows)}`,
    );
    return 0;
  },
};

async function benchmarkData(session: Session, wanted: string | null): Promise<{ projectId: number; data: string }> {
  if (wanted !== null) {
    const { id: projectId } = await project(session);
    return { projectId, data: (await findDataset(session, projectId, wanted)).name };
  }
  const projects = await session.handlers['projects.list']({ archived: false });
  for (const { id: projectId } of projects) {
    const sets = await session.handlers['datasets.list']({ projectId });
    for (const { name, source, task } of sets)
      if (task === 'classification' && /[\\/]samples[\\/]/.test(source) && (await isFile(source)))
        return { projectId, data: name };
  }
  const made = await session.handlers['projects.createSample']({ sample: null });
  const [set] = await session.handlers['datasets.list']({ projectId: made.id });
  if (!set) throw new StudioError('not-found', 'The bundled sample is not there.', 'Name a data set with --data.');
  return { projectId: made.id, data: set.name };
}

const isFile = (path: string) =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  );

export const useCommands: readonly Command[] = [predict, words, exportRun, devices, benchmark];
