/**
 * Which element of a long list shows which row. Rows that come into sight take over the elements of rows that went out of it: to write
 * other words into a row takes a fraction of the time that a new one does.
 */
export class RowSlots {
  /** Numbers of the elements by the rows that they show, in the order of the rows. */
  #shown = new Map<number, number>();
  #made = 0;

  /**
   * @param first the first row drawn from now on
   * @param last the last one; below `first` where none is
   * @param held rows whose elements are not to show others: one has the focus, or its menu is open
   * @returns the number of each row's element, in the order of the rows
   */
  place(first: number, last: number, held: readonly number[] = []): ReadonlyMap<number, number> {
    // In their order, so that no element has to move where all of them get other rows.
    const free = [...this.#shown].flatMap(([row, element]) =>
      (row >= first && row <= last) || held.includes(row) ? [] : [element],
    );
    const shown = new Map<number, number>();
    for (let row = first; row <= last; row += 1)
      shown.set(row, this.#shown.get(row) ?? free.shift() ?? (this.#made += 1));
    this.#shown = shown;
    return shown;
  }
}
