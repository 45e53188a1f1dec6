/** A few training examples of each class, drawn by a seed. */
import { textKey } from './splits.js';

interface DrawnRow {
  readonly text: string;
  readonly pair: string | null;
  readonly label: string;
  readonly messages: readonly unknown[] | null;
}

/**
 * Rows of a class stand in the order of a hash of seed and content, and the first ones are taken. So the same seed draws the same
 * rows whatever the file's order, and fewer examples are part of more.
 */
export class ExampleDraw {
  readonly #classes = new Map<string, { readonly key: number; readonly place: number }[]>();
  #rows = 0;

  constructor(private readonly seed: number) {}

  /** Every row once, in the split's order; `content` is all of it but its label. */
  add(label: string, content: string): void {
    const row = { key: textKey(`${this.seed}\u0000${content}`), place: this.#rows };
    this.#rows += 1;
    const rows = this.#classes.get(label);
    if (rows === undefined) this.#classes.set(label, [row]);
    else rows.push(row);
  }

  /** A row of data with classes, which are drawn from one by one, or without. */
  addRow({ text, pair, label, messages }: DrawnRow, classes: boolean): void {
    this.add(classes ? label : '', JSON.stringify(messages ?? [text, pair]));
  }

  /** Places of `count` rows of each class, counted from 0, and the classes that have fewer. */
  take(count: number): { readonly places: ReadonlySet<number>; readonly short: readonly string[] } {
    const places = new Set<number>();
    const short: string[] = [];
    for (const [label, rows] of this.#classes) {
      if (rows.length < count) short.push(label);
      const ordered = [...rows].sort((a, b) => a.key - b.key || a.place - b.place);
      for (const { place } of ordered.slice(0, count)) places.add(place);
    }
    return { places, short: short.sort() };
  }
}
