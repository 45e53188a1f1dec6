/** What a kind of study is: its question, the runs that answer it, and its report from those that have ended. */
import type { BaseModel, Dataset, Report, Run } from '../../../contract/entities.js';
import type { Measure } from '../../../contract/measures.js';
import type { MethodOptions, Plan } from '../../../contract/plan.js';
import type { StudyKind, StudyPlan } from '../../../contract/study.js';
import type { BaseModelInfo } from '../../../engine/index.js';
import type { Context } from '../../context.js';

/** A method of a study; full fine-tuning, the baseline, is the first. */
export interface StudyMethod {
  readonly options: MethodOptions;
  readonly methodName: string;
  readonly setting: string;
  readonly baseline: boolean;
  /** Candidates, ascending. */
  readonly learningRates: readonly number[];
  /** Why what it trained cannot stay frozen below a new head; null: it can, or the study does not ask. */
  readonly notBelowHead: string | null;
}

/** A study with what it names looked up. */
export interface Asked {
  readonly projectId: number;
  readonly plan: StudyPlan;
  readonly model: BaseModel;
  /** In the plan's order; all of one task. */
  readonly datasets: readonly Dataset[];
  readonly methods: readonly StudyMethod[];
  readonly measure: Measure;
}

/** A run of a study, made or to be made. */
export interface StudyStep {
  /** Its place in the study: the same whenever the study is planned again. */
  readonly key: string;
  readonly role: 'choice' | 'final';
  /** Null while it hangs on a choice that is not made yet. */
  readonly plan: Plan | null;
  readonly dataset: Dataset;
  readonly method: StudyMethod;
  /** Examples a class; null for all. */
  readonly size: number | null;
  readonly seed: number;
  /** Where its start was trained, in words; null for the base model as it is. */
  readonly start: string | null;
  /** A finished run of choice whose test is due. */
  readonly readTest: boolean;
}

/** Something measured of finished runs beside what they tell themselves. It is kept with the study, so it is taken once. */
export interface Measurement {
  readonly key: string;
  /** What is being done, as progress tells it. */
  readonly doing: string;
  /** As JSON. Rejects with StudioError 'cancelled' when `signal` says so. */
  take(context: Context, signal: AbortSignal): Promise<unknown>;
  /** Is what was kept of this form? What an earlier version kept in another is taken anew. */
  holds?(value: unknown): boolean;
}

/** By the measurements' keys: what they gave, or why they failed. */
export type Measured = ReadonlyMap<string, unknown>;

/** Runs that have ended (finished, failed or cancelled), by their keys. */
export type Ended = ReadonlyMap<string, Run>;

export type ReportBody = Pick<Report, 'verdicts' | 'tables' | 'figures' | 'notes'>;

export interface StudyKindSpec {
  readonly kind: StudyKind;
  readonly title: string;
  /** In one sentence, without the names of the study at hand. */
  readonly question: string;
  readonly leastData: number;
  /** May runs share a trainer process? Not where their memory is measured. */
  readonly shares: boolean;
  /** Are results carried over from one data set to another? */
  readonly carries?: boolean;
  /** Refuses a study that it cannot answer. @throws StudioError 'bad-input' naming the key */
  check(asked: Asked): void;
  /** Refuses a base that it cannot measure. @throws StudioError 'bad-input' */
  checkBase?(base: BaseModelInfo): void;
  /** All runs in their order, as far as those that have ended let them be known. Looks at its arguments alone, so that a resumed study goes on the same. */
  steps(asked: Asked, ended: Ended): StudyStep[];
  /** What is measured of the runs once all have ended. */
  measurements?(asked: Asked, ended: Ended): Measurement[];
  /** How it is measured, one sentence each. */
  protocol(asked: Asked): string[];
  /** What the runs that have ended show; all of them when the study is finished. */
  report(context: Context, asked: Asked, ended: Ended, measured: Measured): Promise<ReportBody>;
}
