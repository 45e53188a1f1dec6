/** Rows of a data set by pages, fetched as they come into sight; a million rows cost what is looked at. */
import type { DatasetRow, Problem, SplitName } from '../../../electron/contract/index.js';
import { call, toProblem } from '../../state/client.js';

export interface RowFilter {
  readonly split: SplitName | null;
  readonly label: string | null;
  readonly search: string;
}
const PAGE = 100;
const KEPT = 40;

export class RowPages {
  total = $state<number | null>(null);
  problem = $state.raw<Problem | null>(null);
  #pages = $state.raw<ReadonlyMap<number, readonly DatasetRow[]>>(new Map());
  #asked = new Set<number>();
  #turn = 0;
  #filter: RowFilter = { split: null, label: null, search: '' };

  /** @param by what the chosen label is of a row: its only one, one of several, or the type of an entity */
  constructor(
    readonly datasetId: number,
    private readonly by: 'label' | 'amongLabels' | 'entity' = 'label',
  ) {}

  filter(filter: RowFilter): void {
    this.#turn += 1;
    this.#filter = filter;
    this.#asked.clear();
    this.#pages = new Map();
    this.total = null;
    void this.#fetch(0);
  }

  at(index: number): DatasetRow | undefined {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Fetches what these rows need; the farthest pages are let go. */
  show(first: number, last: number): void {
    for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page++) void this.#fetch(page);
  }

  async #fetch(page: number): Promise<void> {
    if (this.#asked.has(page)) return;
    this.#asked.add(page);
    const turn = this.#turn;
    const { split, label, search } = this.#filter;
    try {
      const answer = await call('datasets.rows', {
        id: this.datasetId,
        offset: page * PAGE,
        limit: PAGE,
        ...(split ? { split } : {}),
        ...(label === null ? {} : { [this.by]: label }),
        ...(search ? { search } : {}),
        ...(this.total === null ? {} : { total: this.total }),
      });
      if (turn !== this.#turn) return;
      const pages = new Map(this.#pages).set(page, answer.rows);
      const farthest = [...pages.keys()]
        .sort((a, b) => Math.abs(b - page) - Math.abs(a - page))
        .slice(0, Math.max(0, pages.size - KEPT));
      for (const far of farthest) {
        pages.delete(far);
        this.#asked.delete(far);
      }
      this.#pages = pages;
      this.total = answer.total;
      this.problem = null;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#asked.delete(page);
      this.problem = toProblem(error);
    }
  }
}
