/** What a project's playground holds while the window is open: text, runs, answers, what was read before. */
import { answerInWords, type Dataset, type Prediction, type Problem } from '../../../electron/contract/index.js';
import { call, toProblem } from '../../state/client.js';
import { readerKey } from './readers.js';

/** A text that was read, with each reader's answer by its key. */
export interface Reading {
  readonly id: number;
  readonly text: string;
  readonly pair: string | null;
  /** The label, labels or number that the data give it, null for own words. */
  readonly label: string | null;
  readonly answers: Readonly<Record<string, string>>;
  /** What the readers answered by, see `answersOf`. */
  readonly by: string | null;
}
const HISTORY = 100;

export class Playground {
  text = $state('');
  pair = $state('');
  /** null until the user chooses: the default readers stand. */
  runIds = $state.raw<readonly number[] | null>(null);
  untrained = $state(true);
  /** The label and place of a row that was taken from the test split. */
  source = $state.raw<{
    label: string;
    /** Answers that are as right. */
    accepted: readonly string[];
    line: number;
    text: string;
    pair: string | null;
  } | null>(null);
  /** What the answers at hand were asked. */
  asked = $state.raw<{ readonly text: string; readonly pair: string | null }>({ text: '', pair: null });
  predictions = $state.raw<readonly Prediction[]>([]);
  /** Answers of other seeds to the same text; they come after the readers' own. */
  others = $state.raw<readonly Prediction[]>([]);
  problem = $state.raw<Problem | null>(null);
  reading = $state(false);
  #readings = $state.raw<readonly Reading[]>([]);
  /** Test rows being read one after the other. */
  sampling = $state.raw<{ done: number; total: number } | null>(null);
  #by = $state.raw<string | null>(null);
  #next = 1;
  #round = 0;

  /** What readers of this kind have read. */
  get history(): readonly Reading[] {
    return this.#readings.filter(({ by }) => by === this.#by);
  }

  /** Whether the text is still the row that was taken. */
  get known(): { label: string; accepted: readonly string[]; line: number } | null {
    const s = this.source;
    return s && s.text === this.text && (s.pair ?? '') === this.pair ? s : null;
  }

  /** Answers of readers that answered by something else leave the screen. @param by what the readers at hand answer by, null without any */
  answerBy(by: string | null): void {
    if (by === null || by === this.#by) return;
    if (this.#by !== null) {
      this.predictions = this.others = [];
      this.source = null;
    }
    this.#by = by;
  }

  /** @param otherIds runs of other seeds that are asked afterwards, for the spread only */
  async read(runIds: readonly number[], withPair: boolean, otherIds: readonly number[] = []): Promise<void> {
    if (this.reading || this.text.trim() === '') return;
    this.reading = true;
    this.problem = null;
    const { text } = this;
    const pair = withPair && this.pair.trim() !== '' ? this.pair : null;
    const round = ++this.#round;
    try {
      this.predictions = await this.#ask(runIds, text, pair, this.known?.label ?? null);
      this.asked = { text, pair };
      this.others = [];
    } catch (error) {
      this.problem = toProblem(error);
      return;
    } finally {
      this.reading = false;
    }
    if (otherIds.length === 0) return;
    try {
      const others = await call('playground.predict', { runIds: [...otherIds], text, pair, keep: false });
      // A newer text has been read meanwhile: these answers belong to the old one.
      if (round === this.#round) this.others = others;
    } catch (error) {
      if (round === this.#round) this.problem = toProblem(error);
    }
  }

  /** One text through all readers, kept in the history. */
  async #ask(
    runIds: readonly number[],
    text: string,
    pair: string | null,
    label: string | null,
  ): Promise<readonly Prediction[]> {
    const predictions = await call('playground.predict', {
      runIds: [...runIds],
      text,
      pair,
      untrained: this.untrained,
    });
    const answers = Object.fromEntries(
      predictions.filter((p) => p.problem === null).map((p) => [readerKey(p.runId), p.label]),
    );
    const reading = { id: this.#next++, text, pair, label, answers, by: this.#by };
    this.#readings = [reading, ...this.#readings].slice(0, HISTORY);
    return predictions;
  }

  /** Reads `count` different random test rows with all readers, one after the other, until done or `stopSampling`. Returns how many were read. */
  async sample(
    { id: datasetId, task }: Pick<Dataset, 'id' | 'task'>,
    runIds: readonly number[],
    count: number,
  ): Promise<number> {
    if (this.sampling) return 0;
    this.problem = null;
    this.sampling = { done: 0, total: count };
    let read = 0;
    try {
      const { total } = await call('datasets.rows', { id: datasetId, offset: 0, limit: 1, split: 'test' });
      const wanted = new Set<number>();
      while (wanted.size < Math.min(count, total)) wanted.add(Math.floor(Math.random() * total));
      for (const offset of wanted) {
        const row = (await call('datasets.rows', { id: datasetId, offset, limit: 1, split: 'test' })).rows[0];
        if (!this.sampling) break;
        if (row && row.text.trim() !== '') {
          await this.#ask(runIds, row.text, row.pair, answerInWords(task, row));
          read += 1;
        }
        if (this.sampling) this.sampling = { done: read, total: wanted.size };
      }
    } catch (error) {
      this.problem = toProblem(error);
    } finally {
      this.sampling = null;
    }
    return read;
  }

  stopSampling(): void {
    this.sampling = null;
  }

  /** Puts a random test row into the fields. Returns false when the data set has no test rows. */
  async takeTestRow({ id: datasetId, task }: Pick<Dataset, 'id' | 'task'>): Promise<boolean> {
    const { total } = await call('datasets.rows', { id: datasetId, offset: 0, limit: 1, split: 'test' });
    if (total === 0) return false;
    const { rows } = await call('datasets.rows', {
      id: datasetId,
      offset: Math.floor(Math.random() * total),
      limit: 1,
      split: 'test',
    });
    const row = rows[0];
    if (!row) return false;
    this.text = row.text;
    this.pair = row.pair ?? '';
    const label = answerInWords(task, row);
    const accepted = (row.answers ?? []).map(({ text }) => text);
    this.source = { label, accepted: [label, ...accepted], line: row.line, text: row.text, pair: row.pair };
    return true;
  }
}

const byProject = new Map<number, Playground>();
/** The playground of a project; what was typed is still there when the screen is opened again. */
export function playgroundOf(projectId: number): Playground {
  let playground = byProject.get(projectId);
  if (!playground) byProject.set(projectId, (playground = new Playground()));
  return playground;
}
