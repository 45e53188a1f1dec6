/** A data set being imported: the file, how it reads, which column plays which role, how it is split. */
import {
  datasetSchema,
  labelColumns,
  type FilePreview,
  type ImportRequest,
  type MultiLabelColumns,
  type Problem,
  type ReadingOptions,
  type Task,
  type TextForm,
} from '../../../electron/contract/index.js';
import { call, toProblem } from '../../state/client.js';
import { jobs } from '../../state/jobs.svelte.js';
import { datasets } from '../../state/library.svelte.js';
import { assignRole, baseName, type Role } from './roles.js';
import { columnsFrom, markedRoles, missingPart, partsOf, textRoles, type Part, type Parts } from './text-form.js';
import { t } from '../../language.js';

type SplitMode = 'shares' | 'files' | 'column';

class ImportDraft {
  projectId = $state<number | null>(null);
  path = $state<string | null>(null);
  reading = $state.raw<ReadingOptions>({});
  preview = $state.raw<FilePreview | null>(null);
  roles = $state.raw<Readonly<Record<string, Role>>>({});
  task = $state<Task>('classification');
  form = $state<TextForm>('text');
  /** How several labels stand in the file. */
  labelForm = $state<MultiLabelColumns['form']>('separated');
  separator = $state(';');
  /** The column of each part, of rows that more than a text and a label make. */
  parts = $state.raw<Parts>({});
  /** Of tags that are numbers, as the user writes them. */
  tagNames = $state('');
  name = $state('');
  mode = $state<SplitMode>('shares');
  /** Shares in percent of the rows. */
  validationShare = $state<number | null>(15);
  testShare = $state<number | null>(15);
  validationFile = $state<string | null>(null);
  testFile = $state<string | null>(null);
  seed = $state<number | null>(1);
  badRows = $state<'skip' | 'stop'>('stop');
  inspecting = $state(false);
  jobId = $state<string | null>(null);
  problem = $state.raw<Problem | null>(null);
  #turn = 0;

  /** Asks for a file and reads its beginning. Returns whether one was chosen. */
  async choose(projectId: number): Promise<boolean> {
    const { path } = await call('files.choose', { kind: 'data' });
    if (path === null) return false;
    this.open(projectId, path);
    return true;
  }

  /** Begins the import of a file that the user chose or dropped. */
  open(projectId: number, path: string): void {
    this.reset();
    this.projectId = projectId;
    this.path = path;
    const taken = new Set(datasets.list.map((d) => d.name));
    const plain = baseName(path);
    let name = plain;
    for (let i = 2; taken.has(name); i++) name = `${plain} ${i}`;
    this.name = name;
    void this.inspect({});
  }

  /** Reads the file's beginning; of overlapping reads only the last started says anything. */
  async inspect(reading: ReadingOptions): Promise<void> {
    const path = this.path;
    if (path === null) return;
    const turn = ++this.#turn;
    this.reading = reading;
    this.inspecting = true;
    this.problem = null;
    try {
      const preview = await call('datasets.inspect', { path, reading });
      if (turn !== this.#turn) return;
      this.preview = preview;
      this.task = preview.suggestedTask;
      this.form = preview.generation?.form ?? 'text';
      this.parts = partsOf(preview);
      this.tagNames = preview.tagging?.tagNames?.join(', ') ?? '';
      this.roles = Object.fromEntries(preview.columns.map((c) => [c.name, c.suggestedRole]));
      if (preview.columns.some((c) => c.suggestedRole === 'split')) this.mode = 'column';
      if (this.task === 'multi-label') this.#suggestLabels();
    } catch (error) {
      if (turn !== this.#turn) return;
      this.preview = null;
      this.problem = toProblem(error);
    } finally {
      if (turn === this.#turn) this.inspecting = false;
    }
  }

  setRole(column: string, role: Role): void {
    const several = role === 'label' && this.task === 'multi-label' && this.labelForm === 'columns';
    this.roles = several ? { ...this.roles, [column]: role } : assignRole(this.roles, column, role);
    if (role === 'split') this.mode = 'column';
    else if (this.mode === 'column' && this.columnOf('split') === null) this.mode = 'shares';
  }

  setTask(task: Task): void {
    this.task = task;
    if (task === 'multi-label') this.#suggestLabels();
    // One column is left where there may be no more.
    else this.#keepLabels([this.columnOf('label')]);
  }

  setLabelForm(form: MultiLabelColumns['form']): void {
    this.labelForm = form;
    if (form !== 'columns') this.#keepLabels([this.columnOf('label')]);
  }

  /** As the file looks; its columns then have the role Label, and no others. */
  #suggestLabels(): void {
    const found = this.preview?.multiLabel;
    if (!found) return;
    this.labelForm = found.form;
    if (found.form === 'separated') this.separator = found.separator;
    this.#keepLabels(labelColumns(found));
  }

  #keepLabels(columns: readonly (string | null)[]): void {
    this.roles = Object.fromEntries(
      Object.entries(this.roles).map(([name, role]) => [
        name,
        columns.includes(name) ? 'label' : role === 'label' ? 'ignore' : role,
      ]),
    );
  }

  get #tagNames(): string[] | null {
    const names = this.tagNames
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    return names.length === 0 ? null : names;
  }

  setPart(part: Part, column: string | null): void {
    this.parts = { ...this.parts, [part]: column };
  }

  columnOf(role: Role): string | null {
    return this.columnsOf(role)[0] ?? null;
  }

  columnsOf(role: Role): string[] {
    return Object.entries(this.roles).flatMap(([name, r]) => (r === role ? [name] : []));
  }

  /** The facts of the column of the label or number. */
  get labelFacts(): FilePreview['columns'][number] | null {
    return this.preview?.columns.find(({ name }) => name === this.columnOf('label')) ?? null;
  }

  async chooseSplitFile(which: 'validation' | 'test'): Promise<void> {
    const { path } = await call('files.choose', { kind: 'data' });
    if (path === null) return;
    if (which === 'validation') this.validationFile = path;
    else this.testFile = path;
  }

  /** What still keeps the import from starting, in words; null when nothing does. */
  get missing(): string | null {
    if (!this.preview) return t('Choose a file that can be read.');
    if (this.name.trim() === '') return t('Give the data set a name.');
    if (this.task === 'generation') {
      const missing = missingPart(textRoles[this.form], this.parts);
      if (missing !== null) return missing;
    } else if (this.task === 'tagging' || this.task === 'questions') {
      const missing = missingPart(markedRoles[this.task], this.parts);
      if (missing !== null) return missing;
      if (this.task === 'tagging' && this.preview.tagging?.tagNames?.length === 0 && this.#tagNames === null)
        return t('The tags are numbers: write what each is called.');
    } else if (this.columnOf('text') === null) return t('Give one column the role Text.');
    else if (this.columnOf('label') === null)
      return t('Give one column the role {role}.', { role: this.task === 'regression' ? t('Number') : t('Label') });
    else if (this.task === 'multi-label' && this.labelForm === 'separated' && this.separator === '')
      return t('Write the sign between labels.');
    if (this.mode === 'column' && this.columnOf('split') === null)
      return t('Give one column the role Split, or split by shares.');
    if (this.mode === 'files' && this.testFile === null) return t('Choose a test file, or split by shares.');
    if (this.mode === 'shares' && (this.validationShare === null || this.testShare === null || this.seed === null))
      return t('Fill in the shares and the seed.');
    if (this.mode === 'shares' && (this.validationShare ?? 0) + (this.testShare ?? 0) > 90)
      return t('Leave at least 10 % of the rows for training.');
    return null;
  }

  request(): ImportRequest | null {
    const task = this.#taskColumns();
    if (this.missing !== null || this.projectId === null || this.path === null || task === null) return null;
    const share = (percent: number | null): number | null => (percent ? percent / 100 : null);
    const byColumn = this.mode === 'column';
    return {
      projectId: this.projectId,
      name: this.name.trim(),
      path: this.path,
      reading: { ...this.reading },
      ...task,
      // A missing validation file leaves the validation rows to be taken from training ones.
      validation: byColumn
        ? null
        : this.mode === 'files'
          ? (this.validationFile ?? share(this.validationShare))
          : share(this.validationShare),
      test: byColumn ? null : this.mode === 'files' ? this.testFile : share(this.testShare),
      splitColumn: byColumn ? this.columnOf('split') : null,
      seed: this.seed ?? 1,
      badRows: this.badRows,
    };
  }

  #taskColumns() {
    if (this.task === 'generation') {
      const columns = columnsFrom(this.form, this.parts);
      return columns && ({ task: 'generation', columns } as const);
    }
    const { words, tags, question, context, answers, group = null } = this.parts;
    if (this.task === 'tagging' && words && tags)
      return { task: 'tagging', wordsColumn: words, tagsColumn: tags, tagNames: this.#tagNames } as const;
    if (this.task === 'questions' && question && context && answers)
      return {
        task: 'questions',
        questionColumn: question,
        contextColumn: context,
        answersColumn: answers,
        groupColumn: group,
      } as const;
    const { task } = this;
    const [textColumn, labelColumn] = [this.columnOf('text'), this.columnOf('label')];
    if (task === 'tagging' || task === 'questions' || textColumn === null || labelColumn === null) return null;
    const read = { textColumn, pairColumn: this.columnOf('pair') };
    if (task !== 'multi-label') return { task, ...read, labelColumn } as const;
    const labels = this.labelColumns;
    return labels && ({ task, ...read, labels } as const);
  }

  /** Where the labels of rows with several stand; null without a column, and without a sign where one parts them. */
  get labelColumns(): MultiLabelColumns | null {
    const columns = this.columnsOf('label');
    const [column] = columns;
    if (column === undefined) return null;
    switch (this.labelForm) {
      case 'separated':
        return this.separator === '' ? null : { form: 'separated', column, separator: this.separator };
      case 'list':
        return { form: 'list', column };
      case 'columns':
        return { form: 'columns', columns };
    }
  }

  /** Imports; resolves to the new data set's id, or null when it failed (see `problem`) or was cancelled. */
  async start(): Promise<number | null> {
    const request = this.request();
    if (!request) return null;
    this.problem = null;
    try {
      const { jobId } = await call('datasets.import', request);
      this.jobId = jobId;
      const made = datasetSchema.parse(await jobs.finished(jobId));
      await datasets.refresh();
      this.reset();
      return made.id;
    } catch (error) {
      const problem = toProblem(error);
      this.problem = problem.code === 'cancelled' ? null : problem;
      return null;
    } finally {
      this.jobId = null;
    }
  }

  reset(): void {
    // What is being read is of a file that is not wanted any more.
    this.#turn += 1;
    this.inspecting = false;
    this.path = null;
    this.preview = null;
    this.problem = null;
    this.reading = {};
    this.roles = {};
    this.task = 'classification';
    this.parts = {};
    this.tagNames = '';
    this.mode = 'shares';
    this.validationFile = null;
    this.testFile = null;
    this.badRows = 'stop';
  }
}

export const draft = new ImportDraft();
