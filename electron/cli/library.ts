/** `model …` and `data …`: what runs are made from. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  importRequestSchema,
  profileSchema,
  readingOptionsSchema,
  type BaseModel,
  type Dataset,
  type Profile,
} from '../contract/entities.js';
import type { StudioEvent } from '../contract/calls.js';
import { StudioError } from '../contract/errors.js';
import { taskSchema } from '../contract/objectives.js';
import { firstIssue } from '../contract/problem-of.js';
import { columnsOf } from './columns.js';
import type { Arguments, Command } from './command.js';
import { duration, megabytes, percent, table, whole } from './output.js';
import { findDataset, findModel, finishJob, project, type Session } from './session.js';

const modelAdd: Command = {
  name: 'model add',
  arguments: 'FOLDER',
  positionals: [1, 1],
  about: 'Adds a Hugging Face model folder as a base model. The folder stays where it is.',
  options: { name: { value: 'NAME', about: "Name to use in plans; default: the folder's" } },
  async run(input, { handlers, out }) {
    const model = await handlers['models.add']({
      folder: resolve(input.positional(0)),
      name: input.text('name') ?? undefined,
    });
    out.event(
      { event: 'model', ...model },
      `Added ${model.name}: ${model.architecture}, ${whole(model.parameters)} parameters, at most ${model.maxLength} tokens.`,
    );
    return 0;
  },
};

const modelList: Command = {
  name: 'model list',
  arguments: '',
  positionals: [0, 0],
  about: 'Lists the base models.',
  options: {},
  async run(_, { handlers, out }) {
    const models = await handlers['models.list']({});
    for (const model of models) out.event({ event: 'model', ...model }, null);
    const row = ({ name, architecture, parameters, maxLength, folder }: BaseModel) => [
      name,
      architecture,
      whole(parameters),
      maxLength,
      folder,
    ];
    out.text(table(['name', 'architecture', 'parameters', 'max. tokens', 'folder'], models.map(row)));
    return 0;
  },
};

/** A share (0.2, 20%) or a file; a file of that name wins. */
async function fileOrShare(input: Arguments, option: string): Promise<string | number | null> {
  const text = input.text(option);
  if (text === null) return null;
  const share = /^(-?\d*\.?\d+)(%?)$/.exec(text);
  if (
    share === null ||
    (await stat(text).then(
      (info) => info.isFile(),
      () => false,
    ))
  )
    return resolve(text);
  return Number(share[1]) / (share[2] === '%' ? 100 : 1);
}

const dataAdd: Command = {
  name: 'data add',
  arguments: 'FILE',
  positionals: [1, 1],
  about:
    'Imports a data file (CSV, TSV, JSON, JSONL, Parquet, text, CoNLL or SQuAD). Splits that are not asked for are left empty.',
  options: {
    name: { value: 'NAME', about: 'Name of the data set', required: true },
    task: {
      value: 'TASK',
      about: 'What the rows are for; default classification',
      choices: taskSchema.options,
    },
    text: { value: 'COLUMN', about: 'Column of the text: to classify, or to learn to write' },
    pair: { value: 'COLUMN', about: 'Column of the second text of a pair' },
    label: {
      value: 'COLUMN[,…]',
      about: 'Column of the label, of the number, or of several labels; a column a label with commas',
    },
    separator: { value: 'SIGN', about: 'Multi-label: what stands between labels; left out: as the file looks' },
    prompt: { value: 'COLUMN', about: 'Generation: column of the prompt' },
    input: { value: 'COLUMN', about: "Generation: column of what is put behind the prompt (Alpaca's input)" },
    completion: { value: 'COLUMN', about: 'Generation: column of what is to follow the prompt' },
    messages: { value: 'COLUMN', about: "Generation: column of conversations, OpenAI's or ShareGPT's messages" },
    system: { value: 'COLUMN', about: 'Generation: column of the system text' },
    words: { value: 'COLUMN', about: 'Tagging: column of the words; of CoNLL files it is "word"' },
    tags: {
      value: 'COLUMN',
      about: 'Tagging: column of the tags; of CoNLL files "column 2" and on, default the last that fits',
    },
    'tag-names': { value: 'NAMES', about: 'Tagging: names of tags that are numbers, from 0 on, between commas' },
    question: { value: 'COLUMN', about: 'Questions: column of the question' },
    context: { value: 'COLUMN', about: 'Questions: column of the context' },
    answers: { value: 'COLUMN', about: 'Questions: column of the answers with their places' },
    group: { value: 'COLUMN', about: 'Questions: rows with the same value here stay in one split (an article)' },
    validation: { value: 'FILE|SHARE', about: 'Validation rows: a file, or a share of the rows (0.15, 15%)' },
    test: { value: 'FILE|SHARE', about: 'Test rows: a file, or a share of the rows' },
    'split-column': { value: 'COLUMN', about: 'Column that says train, validation or test' },
    seed: { value: 'SEED', about: 'Seed of the drawn splits; default 1' },
    'bad-rows': {
      value: 'WHAT',
      about: 'What to do with a row that cannot be used; default stop',
      choices: ['stop', 'skip'],
    },
    format: {
      value: 'FORMAT',
      about: 'Format, where the file name does not tell',
      choices: readingOptionsSchema.shape.format.unwrap().options,
    },
    encoding: { value: 'NAME', about: 'Encoding, where detection errs ("windows-1252")' },
    delimiter: { value: 'CHARACTER', about: 'Delimiter, where detection errs' },
  },
  async run(input, session) {
    const { id: projectId } = await project(session);
    const reading = readingOptionsSchema.parse({
      format: input.text('format') ?? undefined,
      encoding: input.text('encoding') ?? undefined,
      delimiter: input.text('delimiter') ?? undefined,
    });
    const path = resolve(input.positional(0));
    const request = importRequestSchema.safeParse({
      projectId,
      name: input.required('name'),
      path,
      reading,
      ...(await columnsOf(input, path, reading, session)),
      validation: await fileOrShare(input, 'validation'),
      test: await fileOrShare(input, 'test'),
      splitColumn: input.text('split-column'),
      seed: input.number('seed', 0, 4_294_967_295, true) ?? 1,
      badRows: input.text('bad-rows') ?? 'stop',
    });
    if (!request.success) {
      const path = request.error.issues[0]?.path ?? [];
      const hints: Readonly<Record<string, string>> = {
        name: 'A name has 1 to 200 characters.',
        validation: 'A share lies between 0 and 0.9 (90%).',
        test: 'A share lies between 0 and 0.9 (90%).',
      };
      throw new StudioError('bad-input', `--${firstIssue(request.error)}.`, hints[String(path[0])] ?? null);
    }
    await finishJob(session, () => session.handlers['datasets.import'](request.data), tellPace(session));
    tellDataset(session, await findDataset(session, projectId, request.data.name));
    return 0;
  },
};

/** Progress of a job over rows, for {@link finishJob}. */
const tellPace =
  ({ out }: Session) =>
  (event: StudioEvent): void => {
    if (event.event !== 'job') return;
    const { done, total, message, secondsLeft } = event.data;
    out.progress(
      `${message} ${total ? percent(done / total) : ''}${secondsLeft === null ? '' : `, ${duration(secondsLeft)} left`}`,
    );
  };

function tellDataset({ out }: Session, set: Dataset): void {
  const { train, validation, test } = set.rows;
  const skipped = set.skippedRows > 0 ? ` ${whole(set.skippedRows)} bad rows were left out.` : '';
  out.event(
    { event: 'data', ...set },
    `Added ${set.name}: ${whole(train)} training, ${whole(validation)} validation and ${whole(test)} test rows, ${kindOf(set)}. ${[set.splitNote, ...(set.notes ?? [])].join(' ')}${skipped}`,
  );
}

/** What a data set holds: "12 labels", "conversations". */
function kindOf({ task, form, labels, range }: Pick<Dataset, 'task' | 'form' | 'labels' | 'range'>): string {
  if (form !== null) return { text: 'texts', instruction: 'instructions', chat: 'conversations' }[form];
  switch (task) {
    case 'regression':
      return range === null ? 'numbers' : `numbers from ${range.low} to ${range.high}`;
    case 'multi-label':
      return `${labels.length} labels, any number a row`;
    case 'questions':
      return 'questions';
    case 'tagging':
      return `${labels.length} tags`;
    default:
      return `${labels.length} labels`;
  }
}

const dataList: Command = {
  name: 'data list',
  arguments: '',
  positionals: [0, 0],
  about: 'Lists the data sets of the project.',
  options: {},
  async run(_, session) {
    const { id: projectId } = await project(session);
    const sets = await session.handlers['datasets.list']({ projectId });
    for (const set of sets) session.out.event({ event: 'data', ...set }, null);
    session.out.text(
      sets.length === 0
        ? 'No data sets yet. Add one with `peft-studio data add FILE --name NAME --text COLUMN --label COLUMN`, or with --task generation.'
        : table(
            ['name', 'train', 'validation', 'test', 'holds', 'source'],
            sets.map((set) => [
              set.name,
              whole(set.rows.train),
              whole(set.rows.validation),
              whole(set.rows.test),
              kindOf(set),
              set.source,
            ]),
          ),
    );
    return 0;
  },
};

const dataShow: Command = {
  name: 'data show',
  arguments: 'NAME',
  positionals: [1, 1],
  about: 'Profiles a data set: label balance, lengths in tokens, and what in it would mislead a run.',
  options: { model: { value: 'NAME|FOLDER', about: "Base model whose tokenizer counts; default: the starter's" } },
  async run(input, session) {
    const { handlers, out } = session;
    const set = await findDataset(session, (await project(session)).id, input.positional(0));
    const wanted = input.text('model');
    const model =
      wanted === null
        ? (await handlers['models.list']({})).find(({ builtIn }) => builtIn)
        : await findModel(session, wanted);
    const { result } = await finishJob(
      session,
      () => handlers['datasets.profile']({ id: set.id, modelId: model?.id ?? null }),
      tellPace(session),
    );
    const profile = profileSchema.parse(result);
    out.event({ event: 'profile', data: set.name, ...profile }, describeProfile(set, profile));
    return 0;
  },
};

function describeProfile(
  set: Dataset,
  { rows, labels, facts = [], numbers, labelsARow, lengths, warnings }: Profile,
): string {
  const become = set.task === 'questions' ? 'take several windows' : 'are cut';
  const cuts = lengths.cut.map(
    ({ maxLength, share, rows }) => `  at ${maxLength} tokens ${percent(share)} of the rows (${whole(rows)}) ${become}`,
  );
  const shown = warnings.map(
    ({ severity, message, willHappen }) => `  ${severity === 'info' ? 'note' : 'warning'}: ${message} ${willHappen}`,
  );
  return [
    `${set.name}: ${set.source} (${megabytes(set.bytes)}). ${set.splitNote}`,
    '',
    labels.length === 0
      ? `${whole(rows.train)} training, ${whole(rows.validation)} validation and ${whole(rows.test)} test rows, ${kindOf(set)}`
      : table(
          [set.task === 'tagging' ? 'entity' : 'label', 'train', 'validation', 'test'],
          labels.map(({ label, train, validation, test }) => [label, whole(train), whole(validation), whole(test)]),
        ),
    ...(numbers === null
      ? []
      : [`Numbers: mean ${numbers.mean.toPrecision(4)}, standard deviation ${numbers.deviation.toPrecision(4)}`]),
    ...(labelsARow.length === 0
      ? []
      : [`Labels a row: ${labelsARow.map((rows, count) => `${count}: ${whole(rows)}`).join(', ')}`]),
    '',
    `Lengths by ${lengths.tokenizer}: median ${whole(lengths.median)}, 95 % at most ${whole(lengths.p95)}, longest ${whole(lengths.max)}`,
    ...cuts,
    ...facts.map(({ name, median, max }) => `${name}: median ${whole(median)}, most ${whole(max)}`),
    ...(shown.length > 0 ? ['', ...shown] : []),
  ].join('\n');
}

export const libraryCommands: readonly Command[] = [modelAdd, modelList, dataAdd, dataList, dataShow];
