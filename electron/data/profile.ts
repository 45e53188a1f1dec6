/** What a data set is like: balance, lengths, and what in it will mislead a run. */
import { splitNames, type MarkedAnswer, type Message } from '../contract/entities.js';
import { trainingSchema } from '../contract/plan.js';
import type { Task } from '../contract/objectives.js';
import { throwIfCancelled } from './decode.js';
import { sortLabels } from './labels.js';
import { LengthHistogram } from './lengths.js';
import { textKey } from './splits.js';
import { NumberSpread } from './numbers.js';
import { languageLengths, type LanguageTools } from './language.js';
import type { TextTokenizer } from './tokenizer.js';
import { Counts, taskProfiles, type SameTexts } from './profile-tasks.js';
import type { LabelledText, Profile, SplitName } from './types.js';

export interface ProfileRow extends LabelledText {
  readonly messages: readonly Message[] | null;
  readonly answers?: readonly MarkedAnswer[] | null;
  readonly split: SplitName;
  readonly line: number;
}
export interface ProfileHooks {
  readonly onProgress?: (rows: number) => void;
  readonly signal?: AbortSignal;
}

type Warning = Profile['warnings'][number];
type Example = Warning['examples'][number];
const examplesShown = 5;
const exampleCharacters = 200;
const chunkRows = 512;
/** Fewer training rows than this make a label rare. */
const rareBelow = 10;
const usualMaxLength = trainingSchema.parse({}).maxLength;

/**
 * Profiles rows as they stream by. Texts are compared by a 52-bit hash after normalization (Unicode, case, blanks), about a hundred bytes a different text.
 * Without a tokenizer lengths are counted in words. Of data to write text from `tools` has the chat template beside the tokenizer.
 */
export async function profileRows(
  rows: AsyncIterable<ProfileRow> | Iterable<ProfileRow>,
  tools: ProfileTools,
  hooks: ProfileHooks = {},
): Promise<Profile> {
  const labels = new Map<string, Record<SplitName, number>>();
  const totals: Record<SplitName, number> = { train: 0, validation: 0, test: 0 };
  const own = taskProfiles[tools.task];
  const texts = new TextIndex(own.same);
  const facts = new Map<string, Counts>();
  const numbers = new NumberSpread();
  const labelsARow: number[] = [];
  const lengths = new LengthHistogram();
  const empty: Finding = { rows: 0, examples: [] };
  const long: Finding = { rows: 0, examples: [] };
  let chunk: ProfileRow[] = [];
  let done = 0;
  const measureRows = async (measured: readonly ProfileRow[]) => {
    const sizes = await sizesOf(measured, tools);
    measured.forEach((row, index) => {
      const size = sizes[index] ?? 0;
      lengths.add(size);
      if (size > usualMaxLength) find(long, row);
    });
    done += measured.length;
    hooks.onProgress?.(done);
  };
  // The tokenizer works beside this thread: it counts one chunk while the next is read.
  let measuring: Promise<void> = Promise.resolve();
  const measure = async () => {
    throwIfCancelled(hooks.signal);
    await measuring;
    measuring = measureRows(chunk);
    // Waited for with the next chunk.
    measuring.catch(() => undefined);
    chunk = [];
  };
  for await (const row of rows) {
    totals[row.split] += 1;
    const ownLabels = own.labels(row);
    for (const label of ownLabels) {
      const counts = labels.get(label) ?? { train: 0, validation: 0, test: 0 };
      labels.set(label, counts);
      counts[row.split] += 1;
    }
    for (const [name, values] of Object.entries(own.facts(row))) {
      const counts = facts.get(name) ?? new Counts();
      facts.set(name, counts);
      counts.add(values);
    }
    if (tools.task === 'regression') numbers.add(Number(row.label));
    if (tools.task === 'multi-label') {
      while (labelsARow.length <= ownLabels.length) labelsARow.push(0);
      labelsARow[ownLabels.length] = (labelsARow[ownLabels.length] ?? 0) + 1;
    }
    if (row.text.trim() === '') find(empty, row);
    else texts.add(row);
    chunk.push(row);
    if (chunk.length >= chunkRows) await measure();
  }
  if (chunk.length > 0) await measure();
  await measuring;
  const sorted = sortLabels(labels.keys()).map((label) => ({
    label,
    train: 0,
    validation: 0,
    test: 0,
    ...labels.get(label),
  }));
  const unit = tools.tokenizer === null ? 'words' : 'tokens';
  return {
    rows: totals,
    labels: sorted,
    facts: [...facts].flatMap(([name, counts]) => {
      const summary = counts.summary();
      return summary === null ? [] : [{ name, ...summary }];
    }),
    numbers: numbers.summary(),
    labelsARow,
    lengths: {
      tokenizer: tools.tokenizer === null ? 'words (choose a model to count tokens)' : tools.tokenizer.name,
      ...lengths.summary(),
    },
    warnings: [
      ...texts.warnings(),
      warning(
        'empty-text',
        'warn',
        empty,
        (count) => `${count} without text.`,
        'They are trained and scored as empty sentences.',
      ),
      ...(own.balance ? rareLabels(sorted, own.noun) : []),
      warning(
        'long-text',
        'info',
        long,
        (count) => `${count} longer than ${usualMaxLength} ${unit}.`,
        own.tooLong(usualMaxLength),
      ),
    ].filter((one) => one.rows > 0),
  };
}

/** What counts lengths. Of data to write text from a tokenizer comes with the model's chat template. */
export type ProfileTools =
  | { readonly task: Exclude<Task, 'generation'>; readonly tokenizer: TextTokenizer | null }
  | ({ readonly task: 'generation' } & (LanguageTools | { readonly tokenizer: null }));

async function sizesOf(rows: readonly ProfileRow[], tools: ProfileTools): Promise<readonly number[]> {
  if (tools.tokenizer === null) return rows.map(words);
  if (tools.task === 'generation') return languageLengths(rows, tools);
  return tools.tokenizer.lengths(rows);
}

const words = ({ text, pair }: LabelledText) =>
  `${text} ${pair ?? ''}`.split(/\s+/).filter((word) => word !== '').length;

interface Finding {
  rows: number;
  readonly examples: Example[];
}

const exampleOf = (row: ProfileRow): Example => ({
  split: row.split,
  line: row.line,
  label: row.label,
  text: shown(row),
});
const shown = ({ text, pair }: LabelledText) =>
  (pair === null ? text : `${text} ⁄ ${pair}`).slice(0, exampleCharacters);

function find(finding: Finding, row: ProfileRow): void {
  finding.rows += 1;
  if (finding.examples.length < examplesShown) finding.examples.push(exampleOf(row));
}

function warning(
  kind: Warning['kind'],
  severity: Warning['severity'],
  { rows, examples }: Finding,
  message: (count: string) => string,
  willHappen: string,
): Warning {
  return { kind, severity, rows, message: message(`${rows} ${rows === 1 ? 'row' : 'rows'}`), willHappen, examples };
}

function rareLabels(labels: Profile['labels'], noun: string): Warning[] {
  const list = (some: Profile['labels']) =>
    `${some
      .slice(0, 5)
      .map(({ label, train }) => `"${label}" (${train})`)
      .join(', ')}${some.length > 5 ? ` and ${some.length - 5} more` : ''}`;
  const rows = (some: Profile['labels']) =>
    some.reduce((sum, { train, validation, test }) => sum + train + validation + test, 0);
  const unseen = labels.filter(({ train }) => train === 0);
  const rare = labels.filter(({ train }) => train > 0 && train < rareBelow);
  return [
    {
      kind: 'rare-label',
      severity: 'bad',
      rows: rows(unseen),
      message: `${unseen.length} of ${labels.length} labels have no training ${noun}: ${list(unseen)}.`,
      willHappen: 'They cannot be learned, and pull the score down.',
      examples: [],
    },
    {
      kind: 'rare-label',
      severity: 'warn',
      rows: rows(rare),
      message: `${rare.length} of ${labels.length} labels have fewer than ${rareBelow} training ${noun}: ${list(rare)}.`,
      willHappen: `Their scores rest on a few ${noun} and vary much between seeds.`,
      examples: [],
    },
  ];
}

/** Every different text once: how often it stands in each split, and with which labels. Lists run parallel; a text is its place in them. */
class TextIndex {
  private readonly places = new Map<number, number>();
  private readonly labelNumbers = new Map<string, number>();
  private readonly firstLabel: number[] = [];
  /** 1 where a second label has been seen. */
  private readonly conflict: number[] = [];
  private readonly count: { readonly [S in SplitName]: number[] } = { train: [], validation: [], test: [] };
  private readonly firstLine: { readonly [S in SplitName]: number[] } = { train: [], validation: [], test: [] };
  private readonly labelTexts: string[] = [];
  private readonly duplicates: Example[] = [];
  private readonly conflicts: Example[] = [];
  private readonly leaks: { readonly [S in 'validation' | 'test']: Example[] } = { validation: [], test: [] };

  constructor(private readonly same: SameTexts) {}

  add(row: ProfileRow): void {
    const key = textKey(this.same.key(row));
    const label = this.numberOf(this.same.answer(row), row.label);
    const known = this.places.get(key);
    const place = known ?? this.places.size;
    if (known === undefined) {
      this.places.set(key, place);
      this.firstLabel.push(label);
      this.conflict.push(0);
      for (const split of splitNames) {
        this.count[split].push(0);
        this.firstLine[split].push(0);
      }
    } else {
      const example = exampleOf(row);
      if (this.firstLabel[place] !== label) {
        if (this.conflict[place] === 0 && this.conflicts.length < examplesShown)
          this.conflicts.push(this.firstOf(place, example), example);
        this.conflict[place] = 1;
      } else if ((this.count[row.split][place] ?? 0) > 0 && this.duplicates.length < examplesShown)
        this.duplicates.push(example);
      for (const held of ['validation', 'test'] as const) this.noteLeak(held, place, example);
    }
    if ((this.count[row.split][place] ?? 0) === 0) this.firstLine[row.split][place] = row.line;
    this.count[row.split][place] = (this.count[row.split][place] ?? 0) + 1;
  }

  warnings(): Warning[] {
    let [copies, conflicting, leakedTest, leakedValidation] = [0, 0, 0, 0];
    for (let place = 0; place < this.places.size; place += 1) {
      const [train, validation, test] = [
        this.count.train[place] ?? 0,
        this.count.validation[place] ?? 0,
        this.count.test[place] ?? 0,
      ];
      if (this.conflict[place] === 1) conflicting += train + validation + test;
      copies += Math.max(0, train - 1) + Math.max(0, validation - 1) + Math.max(0, test - 1);
      if (train > 0) {
        leakedTest += test;
        leakedValidation += validation;
      }
    }
    return [
      warning(
        'leak',
        'bad',
        { rows: leakedTest, examples: this.leaks.test },
        (count) => `${count} of the test split ${leakedTest === 1 ? 'stands' : 'stand'} in the training split too.`,
        'The test score will be better than the model is: it has seen the answers.',
      ),
      warning(
        'leak',
        'warn',
        { rows: leakedValidation, examples: this.leaks.validation },
        (count) =>
          `${count} of the validation split ${leakedValidation === 1 ? 'stands' : 'stand'} in the training split too.`,
        'Early stopping and the choice of the best state favour what was learned by heart.',
      ),
      warning(
        'conflicting-labels',
        this.same.conflict.severity,
        { rows: conflicting, examples: this.conflicts },
        (count) => this.same.conflict.message(count),
        this.same.conflict.willHappen,
      ),
      warning(
        'duplicate',
        'info',
        { rows: copies, examples: this.duplicates },
        (count) => this.same.repeated(count, copies === 1),
        'Each copy counts once more in training and in the score.',
      ),
    ];
  }

  /** A held-out row met a training row of the same text, whichever came first. */
  private noteLeak(held: 'validation' | 'test', place: number, example: Example): void {
    const examples = this.leaks[held];
    if (examples.length >= examplesShown) return;
    if (example.split === held && (this.count.train[place] ?? 0) > 0) examples.push(example);
    else if (example.split === 'train' && (this.count.train[place] ?? 0) === 0 && (this.count[held][place] ?? 0) > 0)
      examples.push({ ...example, split: held, line: this.firstLine[held][place] ?? 0 });
  }

  /** The first row of a text, told with the text of a later one (they are equal after normalization). */
  private firstOf(place: number, later: Example): Example {
    const split = splitNames.find((name) => (this.count[name][place] ?? 0) > 0) ?? later.split;
    return {
      ...later,
      split,
      line: this.firstLine[split][place] ?? 0,
      label: this.labelTexts[this.firstLabel[place] ?? 0] ?? '',
    };
  }

  private numberOf(answer: string, label: string): number {
    const known = this.labelNumbers.get(answer);
    if (known !== undefined) return known;
    this.labelNumbers.set(answer, this.labelNumbers.size);
    this.labelTexts.push(label);
    return this.labelNumbers.size - 1;
  }
}
