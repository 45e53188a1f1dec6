/** The one shape of what is fuzzed: whole inputs to begin with, and a reader that either reads or says why not. */
import type { Arbitrary } from 'fast-check';

/** Files of an input by name; a name may hold folders. */
export type FileSet = ReadonlyMap<string, Buffer>;

export interface Subject {
  readonly name: string;
  /** Of a session's inputs, against the other subjects'. */
  readonly share: number;
  /** Whole inputs, which are mutated. @param work a folder for what the reader needs besides */
  seeds(work: string): Promise<readonly FileSet[]>;
  /** Inputs that begin from nothing. */
  readonly made?: Arbitrary<FileSet>;
  /** Reads the input in `folder` as the app does. Rows that are refused with a reason are no errors. */
  read(folder: string): Promise<void>;
}
