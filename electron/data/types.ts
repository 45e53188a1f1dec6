/** The vocabulary of the data layer: rows as read, as imported, as encoded. */
import type {
  FilePreview,
  ImportRequest,
  MarkedAnswer,
  Message,
  Profile,
  ReadingOptions,
  SplitName,
} from '../contract/entities.js';

export type { FilePreview, ImportRequest, Profile, ReadingOptions, SplitName };
export type DataFormat = NonNullable<ReadingOptions['format']>;

/**
 * One row of a file, by column name, or why it is none. A key is missing where the file has no value for it (JSON null, an absent key).
 * `line` is the 1-based line on which the row begins; in a Parquet file it is the row's number. `row` is that number in a JSON array of which
 * several rows begin in one line.
 */
export type ReadRow =
  { readonly line: number; readonly values: Readonly<Record<string, string>>; readonly row?: number } | RowProblem;
export interface RowProblem {
  readonly line: number;
  /** What is wrong, as a sentence without file and line. */
  readonly problem: string;
}

/** How a file is read, with nothing left to guess. */
export interface Reading {
  readonly format: DataFormat;
  /** A TextDecoder label; null for Parquet. */
  readonly encoding: string | null;
  /** One character; null where the format has none. */
  readonly delimiter: string | null;
  /** The first record names the columns (CSV and TSV only; false elsewhere). */
  readonly header: boolean;
  /** Whether `"` quotes a cell (CSV and TSV only). */
  readonly quoted: boolean;
  /** The file's format, told by its extension and bytes, is fixed; the file's size when it was looked at. */
  readonly bytes: number;
}

export interface ReadHooks {
  /** Bytes of the file consumed so far. */
  onBytes?(done: number): void;
  signal?: AbortSignal;
}

/** A checked row with its split; `position` counts from 0 within the split, in the file's order. */
export interface ImportedRow {
  readonly split: SplitName;
  readonly position: number;
  readonly text: string;
  readonly pair: string | null;
  readonly label: string;
  readonly messages: readonly Message[] | null;
  readonly answers: readonly MarkedAnswer[] | null;
  readonly line: number;
}

/** What an import did, for the data set's row in the database and the message to the user. */
export interface ImportSummary {
  readonly rows: Readonly<Record<SplitName, number>>;
  /** Every label, in the order of its class index. */
  readonly labels: readonly string[];
  /** Lowest and highest number of a regression; null for others. */
  readonly range: { readonly low: number; readonly high: number } | null;
  /** How the splits came about, as a sentence. */
  readonly splitNote: string;
  readonly skippedRows: number;
  /** The first hundred rows left out, with file, line and reason. */
  readonly problems: readonly (RowProblem & { readonly path: string })[];
  readonly notes: readonly string[];
  /** Bytes of the files read. */
  readonly bytes: number;
  /** SHA-256 over the imported rows in order. */
  readonly contentHash: string;
}

export interface ImportProgress {
  /** Bytes read, both passes together. */
  readonly done: number;
  readonly total: number;
  readonly rows: number;
  readonly secondsLeft: number | null;
  readonly message: string;
}

/** What profiling and encoding need of a row. */
export interface LabelledText {
  readonly text: string;
  readonly pair: string | null;
  readonly label: string;
}

/** What a language model learns from a row: its messages, or where there are none its text. */
export interface LanguageText {
  readonly text: string;
  readonly messages: readonly Message[] | null;
}

/** Token ids of one row with special tokens, cut to the maximum length. */
export interface EncodedText {
  readonly ids: Int32Array;
  /** Segment of each token: 0, or 1 in the pair's second text where the model has segments. */
  readonly typeIds: Int32Array;
  /** Of a verbalizer's prompt: where a label's word is read. */
  readonly readAt?: number;
  /** And where the tokens of a wording begin that a search exchanges. */
  readonly wordingAt?: number;
}
