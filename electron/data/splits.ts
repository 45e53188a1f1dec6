/** Train, validation, test: by name, or seeded, stratified by label, with equal texts of the same labels kept together. */
import { hash } from 'node:crypto';
import { labelsOfRow } from '../contract/labels.js';
import type { SplitName } from './types.js';

const spellings: Readonly<Record<string, SplitName>> = {
  train: 'train',
  training: 'train',
  validation: 'validation',
  valid: 'validation',
  val: 'validation',
  dev: 'validation',
  development: 'validation',
  test: 'test',
  testing: 'test',
  eval: 'test',
  evaluation: 'test',
};

/** The split a cell names ("dev", "Test"), or null. */
export const splitOf = (cell: string): SplitName | null => spellings[cell.trim().toLowerCase()] ?? null;

/** Text as duplicates are told: Unicode composed and compatible forms alike, case and runs of blanks ignored. */
export const normalizedText = (text: string, pair: string | null): string =>
  `${normalized(text)}\u0000${pair === null ? '' : normalized(pair)}`;

/** Most texts are plain already but for their case: letters and signs of ASCII with single blanks between. */
const notPlain = /[^\u0020-\u007e]|^ | $| {2}/;
const normalized = (text: string): string =>
  notPlain.test(text) ? text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim() : text.toLowerCase();

/** A number below 2^52 that any two different texts share with a chance of about 2^-52. */
export function textKey(text: string): number {
  // The first 13 digits of the hash, from a text of its bytes: half as long to make as its digits are.
  const bytes = hash('sha256', text, 'binary');
  let key = 0;
  for (let place = 0; place < 6; place += 1) key = key * 256 + bytes.charCodeAt(place);
  return key * 16 + (bytes.charCodeAt(6) >> 4);
}

/**
 * Draws a stratified split of any number of rows in two passes, holding two numbers a row.
 * A row's place is its label's rows in the order of a hash of seed and text: the first go to test, the next to validation.
 * So rows of the same text and label never part (no leak is made), the order of the file does not matter, and each label keeps its share.
 */
export class StratifiedSplit {
  /** The stratum that a counted one counts with. */
  private place = (stratum: string): string => stratum;
  private readonly keys = new Map<string, number[]>();
  /** Of all rows, in the order in which they were counted. */
  private readonly order: number[] = [];
  private next = 0;
  private cuts: Map<string, { test: number; validation: number }> | null = null;

  /**
   * @param shares of all rows, 0 to below 1 together
   * @param merged from the rows of each stratum to coarser ones, where strata are many and small
   */
  constructor(
    private readonly shares: { readonly validation: number; readonly test: number },
    private readonly seed: number,
    private readonly merged: ((rows: ReadonlyMap<string, number>) => (stratum: string) => string) | null = null,
  ) {}

  /** First pass: every row once. */
  count(label: string, normalized: string): void {
    const key = textKey(`${this.seed}\u0000${normalized}`);
    this.order.push(key);
    const keys = this.keys.get(label);
    if (keys === undefined) this.keys.set(label, [key]);
    else keys.push(key);
  }

  /** Second pass, in the order of the first: the split of the next row that was counted; null where there were no more. */
  splitOfNext(label: string): SplitName | null {
    this.cuts ??= this.draw();
    const key = this.order[this.next++];
    if (key === undefined) return null;
    const cut = this.cuts.get(this.place(label));
    if (cut === undefined) return 'train';
    return key < cut.test ? 'test' : key < cut.validation ? 'validation' : 'train';
  }

  /** Counted rows that were not asked for yet. */
  get left(): number {
    return this.order.length - this.next;
  }

  private draw(): Map<string, { test: number; validation: number }> {
    if (this.merged)
      this.place = this.merged(new Map([...this.keys].map(([stratum, { length }]) => [stratum, length])));
    const strata = new Map<string, number[]>();
    for (const [stratum, keys] of this.keys) {
      const own = strata.get(this.place(stratum));
      if (own === undefined) strata.set(this.place(stratum), keys);
      else for (const key of keys) own.push(key);
    }
    this.keys.clear();
    const labels = [...strata].sort(([a], [b]) => (a < b ? -1 : 1));
    const sizes = labels.map(([, keys]) => keys.length);
    const test = quotas(
      sizes,
      this.shares.test,
      sizes.map((size) => size - 1),
    );
    const validation = quotas(
      sizes,
      this.shares.validation,
      sizes.map((size, index) => size - 1 - (test[index] ?? 0)),
    );
    return new Map(
      labels.map(([label, keys], index) => {
        const sorted = Float64Array.from(keys).sort();
        const testEnd = boundary(sorted, 0, test[index] ?? 0);
        const validationEnd = boundary(sorted, testEnd, testEnd + (validation[index] ?? 0));
        return [label, { test: sorted[testEnd] ?? Infinity, validation: sorted[validationEnd] ?? Infinity }];
      }),
    );
  }
}

/**
 * Rows of several labels count with the rarest of them, so that each label keeps its share, rare ones first (Sechidis et al. 2011 begin
 * with these too); rows without any count together.
 * @param rows of each list of labels, as JSON
 */
export function byRarestLabel(rows: ReadonlyMap<string, number>): (stratum: string) => string {
  const lists = [...rows.keys()].map((stratum) => [stratum, labelsOfRow(stratum)] as const);
  const counts = new Map<string, number>();
  for (const [stratum, labels] of lists)
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + (rows.get(stratum) ?? 0));
  const rarity = (label: string) => counts.get(label) ?? 0;
  const rarest = new Map(
    lists.map(([stratum, labels]) => [
      stratum,
      labels.sort((a, b) => rarity(a) - rarity(b) || (a < b ? -1 : 1))[0] ?? '',
    ]),
  );
  return (stratum) => rarest.get(stratum) ?? '';
}

/** Rows of each label for a share of all rows: largest remainders, so that the sum is right and small labels get theirs; never more than `most`. */
export function quotas(sizes: readonly number[], share: number, most: readonly number[]): number[] {
  const wanted = Math.round(sizes.reduce((sum, size) => sum + size, 0) * share);
  const result = sizes.map((size, index) => Math.max(0, Math.min(Math.floor(size * share), most[index] ?? 0)));
  const byRemainder = sizes
    .map((size, index) => ({ index, remainder: size * share - Math.floor(size * share) }))
    .filter(({ remainder }) => remainder > 0)
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  let missing = wanted - result.reduce((sum, quota) => sum + quota, 0);
  for (const { index } of byRemainder) {
    if (missing <= 0) break;
    if ((result[index] ?? 0) >= (most[index] ?? 0)) continue;
    result[index] = (result[index] ?? 0) + 1;
    missing -= 1;
  }
  return result;
}

/** The nearest place to `wanted` (not before `from`, and leaving the last key out) that does not part equal keys. */
function boundary(sorted: Float64Array, from: number, wanted: number): number {
  const parts = (place: number) => place > 0 && place < sorted.length && sorted[place - 1] === sorted[place];
  let down = wanted;
  while (down > from && parts(down)) down -= 1;
  let up = wanted;
  while (up < sorted.length && parts(up)) up += 1;
  return up < sorted.length && up - wanted < wanted - down ? up : down;
}
