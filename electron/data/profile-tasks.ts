/** What a profile looks at, by what the rows are for. */
import type { Profile } from '../contract/entities.js';
import { labelsOfRow } from '../contract/labels.js';
import type { Task } from '../contract/objectives.js';
import type { ProfileRow } from './profile.js';
import { normalizedText, textKey } from './splits.js';
import { isPrefixed } from './tags.js';

type Warning = Profile['warnings'][number];

/** How rows of the same text are told of. */
export interface SameTexts {
  /** What a row is known by; rows that share it are the same. */
  key(row: ProfileRow): string;
  /** What else must be equal for two such rows to be one row twice. */
  answer(row: ProfileRow): string;
  readonly conflict: {
    readonly severity: Warning['severity'];
    message(count: string): string;
    readonly willHappen: string;
  };
  readonly repeated: (count: string, single: boolean) => string;
}

const classes: SameTexts = {
  key: (row) => normalizedText(row.text, row.pair),
  answer: (row) => row.label,
  conflict: {
    severity: 'warn',
    message: (count) => `${count} share their text with a row of another label.`,
    willHappen: 'No model can be right on all of them; they lower every score.',
  },
  repeated: (count, single) =>
    `${count} ${single ? 'repeats' : 'repeat'} the text of an earlier row of the same split.`,
};

const prompts: SameTexts = {
  key: (row) => normalizedText(row.text, null),
  answer: (row) => String(textKey(normalizedText(row.pair ?? '', null))),
  conflict: {
    severity: 'info',
    message: (count) => `${count} share their prompt with a row of another answer.`,
    willHappen: 'The model learns that either may follow; only one of them can be an exact match.',
  },
  repeated: (count, single) =>
    `${count} ${single ? 'repeats' : 'repeat'} prompt and answer of an earlier row of the same split.`,
};

/** Numbers of one text may well differ a little: people were asked, or things measured, more than once. */
const numbered: SameTexts = {
  ...classes,
  conflict: {
    severity: 'info',
    message: (count) => `${count} share their text with a row of another number.`,
    willHappen: 'The best that a model can tell of them is the mean.',
  },
};

const labelled: SameTexts = {
  ...classes,
  conflict: { ...classes.conflict, message: (count) => `${count} share their text with a row of other labels.` },
};

const tagged: SameTexts = {
  ...classes,
  conflict: {
    severity: 'warn',
    message: (count) => `${count} share their words with a sentence of other tags.`,
    willHappen: 'No model can be right on all of them; they lower every score.',
  },
};

const questions: SameTexts = {
  ...classes,
  answer: (row) => String(textKey(JSON.stringify(row.answers))),
  conflict: {
    severity: 'info',
    message: (count) => `${count} share question and context with a row of other answers.`,
    willHappen: 'Each row is scored by its own answers; put them into one row.',
  },
  repeated: (count, single) =>
    `${count} ${single ? 'repeats' : 'repeat'} question, context and answers of an earlier row of the same split.`,
};

interface TaskProfile {
  readonly same: SameTexts;
  /** What is counted as labels: a name for each time that it stands in the row. */
  labels(row: ProfileRow): readonly string[];
  /** What these are: "rows", "entities". */
  readonly noun: string;
  /** Are labels that are rare, or have no training rows, to be told? */
  readonly balance: boolean;
  /** What becomes of rows that are longer than a maximum length. */
  tooLong(length: number): string;
  /** Lengths and shares that are told beside the tokens: counted a row, or one of several in it. */
  facts(row: ProfileRow): Readonly<Record<string, readonly number[]>>;
}

const wordsIn = (text: string) => text.split(/\s+/).filter((word) => word !== '').length;
const cutOff = (length: number) => `With a maximum length of ${length} their end is cut off.`;

export const taskProfiles: { readonly [T in Task]: TaskProfile } = {
  classification: {
    same: classes,
    labels: (row) => [row.label],
    noun: 'rows',
    balance: true,
    tooLong: cutOff,
    facts: () => ({}),
  },
  regression: {
    same: numbered,
    labels: () => [],
    noun: 'rows',
    balance: false,
    tooLong: cutOff,
    facts: () => ({}),
  },
  'multi-label': {
    same: labelled,
    labels: (row) => labelsOfRow(row.label),
    noun: 'rows',
    balance: true,
    tooLong: cutOff,
    facts: () => ({}),
  },
  tagging: {
    same: tagged,
    // An entity begins with B-.
    labels: (row) => row.label.split(' ').flatMap((tag) => (tag.startsWith('B-') ? [tag.slice(2)] : [])),
    noun: 'entities',
    balance: true,
    tooLong: (length) =>
      `With a maximum length of ${length} the words behind are not learned, and count as O in scores.`,
    facts(row) {
      const tags = row.label.split(' ');
      return {
        'Words a sentence': [tags.length],
        'Entities a sentence': [tags.filter((tag) => tag.startsWith('B-')).length],
        'Words an entity': lengthsOf(tags),
      };
    },
  },
  questions: {
    same: questions,
    labels: (row) => [row.label],
    noun: 'questions',
    balance: false,
    tooLong: (length) => `With a maximum length of ${length} their contexts are read in windows that overlap.`,
    facts: (row) => ({
      'Words a question': [wordsIn(row.text)],
      'Words a context': [wordsIn(row.pair ?? '')],
      'Words an answer': (row.answers ?? []).slice(0, 1).map(({ text }) => wordsIn(text)),
    }),
  },
  generation: {
    same: prompts,
    labels: () => [],
    noun: 'rows',
    balance: false,
    tooLong: cutOff,
    facts: () => ({}),
  },
};

/** Words of each entity. */
function lengthsOf(tags: readonly string[]): number[] {
  const lengths: number[] = [];
  for (const tag of tags)
    if (tag.startsWith('B-')) lengths.push(1);
    else if (isPrefixed(tag)) lengths.push((lengths.pop() ?? 0) + 1);
  return lengths;
}

/** Median and largest of counts, held as one number a different count. */
export class Counts {
  private readonly times = new Map<number, number>();
  private all = 0;

  add(values: readonly number[]): void {
    for (const value of values) {
      this.times.set(value, (this.times.get(value) ?? 0) + 1);
      this.all += 1;
    }
  }

  /** Null where there were none. */
  summary(): { readonly median: number; readonly max: number } | null {
    const sorted = [...this.times].sort(([a], [b]) => a - b);
    const last = sorted.at(-1);
    if (last === undefined) return null;
    let passed = 0;
    const median = sorted.find(([, times]) => (passed += times) >= this.all / 2)?.[0] ?? 0;
    return { median, max: last[0] };
  }
}
