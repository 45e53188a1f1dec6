/** Which columns of a data file play which part, by the options of `data add`; what they leave out the file says, where it can. */
import type { MultiLabelColumns, ReadingOptions } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { taskSchema, type Task } from '../contract/objectives.js';
import type { Arguments } from './command.js';
import type { Session } from './session.js';

const optionsOf: { readonly [T in Task]: readonly string[] } = {
  classification: ['text', 'pair', 'label'],
  regression: ['text', 'pair', 'label'],
  'multi-label': ['text', 'pair', 'label', 'separator'],
  tagging: ['words', 'tags', 'tag-names'],
  questions: ['question', 'context', 'answers', 'group'],
  generation: ['text', 'prompt', 'input', 'completion', 'messages', 'system'],
};

const named: { readonly [T in Task]: string } = {
  classification: 'classification',
  regression: 'numbers',
  'multi-label': 'several labels a row',
  tagging: 'tagged words',
  questions: 'questions',
  generation: 'data to write text from',
};

const wrong = (message: string, hint: string) => new StudioError('bad-input', message, hint);

/** @throws StudioError `bad-input` for an option of another task, and where a column is neither named nor recognized */
export async function columnsOf(input: Arguments, path: string, reading: ReadingOptions, session: Session) {
  const task = taskSchema.parse(input.text('task') ?? 'classification');
  const stray = Object.entries(optionsOf)
    .flatMap(([of, names]) => names.map((name) => ({ of, name })))
    .find(({ name }) => input.text(name) !== null && !optionsOf[task].includes(name));
  if (stray !== undefined)
    throw wrong(
      `--${stray.name} is for ${named[stray.of as Task]}.`,
      `${stray.of === 'classification' ? `Leave it out, or leave out --task ${task}` : `Add --task ${stray.of}, or leave it out`}.`,
    );
  switch (task) {
    case 'classification':
    case 'regression':
      return {
        task,
        textColumn: input.required('text'),
        pairColumn: input.text('pair'),
        labelColumn: input.required('label'),
      } as const;
    case 'multi-label':
      return {
        task,
        textColumn: input.required('text'),
        pairColumn: input.text('pair'),
        labels: await severalLabels(input, path, reading, session),
      } as const;
    case 'tagging':
      return tagging(input, path, reading, session);
    case 'questions':
      return questions(input, path, reading, session);
    case 'generation':
      return generation(input, path, reading, session);
  }
}

/** A column a label, or one column with its separator, or as the file looks. */
async function severalLabels(
  input: Arguments,
  path: string,
  reading: ReadingOptions,
  { handlers }: Session,
): Promise<MultiLabelColumns> {
  const [label, separator] = [input.required('label'), input.text('separator')];
  if (separator !== null) return { form: 'separated', column: label, separator };
  const { columns, multiLabel } = await handlers['datasets.inspect']({ path, reading });
  const one = columns.some(({ name }) => name === label);
  if (!one && label.includes(',')) return { form: 'columns', columns: label.split(',').map((name) => name.trim()) };
  if (multiLabel && multiLabel.form !== 'columns' && multiLabel.column === label) return multiLabel;
  throw wrong(
    `--label: how several labels stand in "${label}" is not to be seen.`,
    'Name the sign between them with --separator, or a column a label: --label a,b,c.',
  );
}

async function tagging(input: Arguments, path: string, reading: ReadingOptions, { handlers, out }: Session) {
  const { tagging: found } = await handlers['datasets.inspect']({ path, reading });
  const wordsColumn = input.text('words') ?? found?.words;
  const tagsColumn = input.text('tags') ?? found?.tags;
  if (wordsColumn === undefined || tagsColumn === undefined)
    throw wrong(`${path} has no columns of words and tags that are recognized.`, 'Name --words and --tags.');
  const names = input
    .text('tag-names')
    ?.split(',')
    .map((name) => name.trim());
  if (input.text('words') === null || input.text('tags') === null)
    out.note(`Read as words with tags: --words "${wordsColumn}" --tags "${tagsColumn}"`);
  const known = found?.tagNames?.length ? found.tagNames : null;
  return { task: 'tagging', wordsColumn, tagsColumn, tagNames: names ?? known } as const;
}

async function questions(input: Arguments, path: string, reading: ReadingOptions, { handlers, out }: Session) {
  const { questions: found } = await handlers['datasets.inspect']({ path, reading });
  const [question, context, answers] = (['question', 'context', 'answers'] as const).map(
    (role) => input.text(role) ?? found?.[role],
  );
  if (question === undefined || context === undefined || answers === undefined)
    throw wrong(
      `${path} has no columns of questions, contexts and answers that are recognized.`,
      'Name --question, --context and --answers.',
    );
  const group = input.text('group') ?? found?.group ?? null;
  if (input.text('question') === null)
    out.note(
      `Read as questions: --question "${question}" --context "${context}" --answers "${answers}"${group === null ? '' : ` --group "${group}"`}`,
    );
  return {
    task: 'questions',
    questionColumn: question,
    contextColumn: context,
    answersColumn: answers,
    groupColumn: group,
  } as const;
}

async function generation(input: Arguments, path: string, reading: ReadingOptions, { handlers, out }: Session) {
  const [text, prompt, completion, messages] = ['text', 'prompt', 'completion', 'messages'].map((name) =>
    input.text(name),
  );
  const system = input.text('system');
  const forms = [text, prompt ?? completion, messages].filter((column) => column !== null && column !== undefined);
  if (forms.length > 1)
    throw wrong(
      'A row is made from one of --text, --prompt with --completion, or --messages.',
      'Name the columns of one of them.',
    );
  if (messages) return { task: 'generation', columns: { form: 'chat', messages, system } } as const;
  if (text) return { task: 'generation', columns: { form: 'text', text } } as const;
  if (prompt && completion)
    return {
      task: 'generation',
      columns: { form: 'instruction', prompt, input: input.text('input'), completion, system },
    } as const;
  if (prompt || completion)
    throw wrong(`--${prompt ? 'completion' : 'prompt'} is missing.`, 'A prompt and its completion go together.');
  const { generation } = await handlers['datasets.inspect']({ path, reading });
  if (generation === null)
    throw wrong(
      `${path} has no column that is recognized.`,
      'Name --text, or --prompt and --completion, or --messages.',
    );
  const { form, ...columns } = generation;
  const roles = Object.entries(columns).flatMap(([role, column]) => (column === null ? [] : [`--${role} ${column}`]));
  out.note(`Read as ${form}: ${roles.join(' ')}`);
  return { task: 'generation', columns: generation } as const;
}
