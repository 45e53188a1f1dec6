/** A report's numbers in words, by their unit: on axes, in cells and in sentences. */
import type { Unit } from '../contract/index.js';
import { bytes, duration, number, signed } from './format.js';
import { compact, measured } from './values.js';
import { mark, t } from '../language/index.js';

export interface UnitWords {
  /** Beside a title: "points", "%"; empty where each value carries its own or has none. */
  readonly name: string;
  /** From what the report holds to what is shown: a share of 0 to 1 becomes percent. */
  readonly scale: number;
  /** A shown value as a cell says it: without the unit where the head has it. */
  readonly cell: (shown: number) => string;
  /** A shown value as a sentence says it, with its unit. */
  readonly written: (shown: number) => string;
  /** A shown value as a tick says it; `step` is what lies between two. */
  readonly tick: (shown: number, step?: number) => string;
}

const tenth = (value: number) => number(value, 1);
const stepped = (value: number, step = 1) => number(value, Number.isInteger(step) ? 0 : step >= 0.1 ? 1 : 2);
const time = (seconds: number): string =>
  seconds > 0 && seconds < 1
    ? t('{measured} ms', { measured: measured(seconds * 1000) })
    : seconds === 0
      ? '0 s'
      : duration(seconds);
/** Counts whole; a mean of counts with three places that count. */
const counted = (value: number): string =>
  Number.isInteger(value) || Math.abs(value) >= 1000 ? number(value) : measured(value);

const percentWords: UnitWords = {
  name: '%',
  scale: 1,
  cell: tenth,
  written: (v) => `${tenth(v)} %`,
  tick: stepped,
};
const words: { readonly [U in Unit]: UnitWords } = {
  // Points are differences: they carry their sign.
  points: {
    ...percentWords,
    name: mark('points'),
    cell: (v) => signed(v),
    written: (v) => t('{v} points', { v: signed(v) }),
  },
  percent: percentWords,
  share: { ...percentWords, scale: 100 },
  bytes: { name: '', scale: 1, cell: bytes, written: bytes, tick: (v) => (v === 0 ? '0' : bytes(v)) },
  seconds: { name: '', scale: 1, cell: time, written: time, tick: (v) => (v === 0 ? '0' : time(v)) },
  count: { name: '', scale: 1, cell: counted, written: counted, tick: compact },
  number: { name: '', scale: 1, cell: measured, written: measured, tick: stepped },
  nats: {
    name: mark('nats'),
    scale: 1,
    cell: measured,
    written: (v) => t('{measured} nats', { measured: measured(v) }),
    tick: stepped,
  },
};

export const unitWords = (unit: Unit | null): UnitWords => words[unit ?? 'number'];

/** A title with its unit: "macro F1, %"; once only where the title says it already. */
export function withUnit(title: string, unit: Unit | null): string {
  const name = unit === null ? '' : t(unitWords(unit).name);
  const said = name === '' || title.endsWith(name) || (name === '%' && title.endsWith('percent'));
  return said ? title : `${title}, ${name}`;
}
