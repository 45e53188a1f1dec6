/** The wordings that a search has validated, as the run's page lists them. */
import type { ValidationMetric } from '../../../electron/contract/index.js';

export interface Candidate {
  readonly step: number;
  readonly wording: string;
  readonly macroF1: number;
  readonly loss: number;
  /** The best of all so far, and only one. */
  readonly best: boolean;
  readonly tried: NonNullable<ValidationMetric['search']>['tried'];
}

/** The newest first. */
export function candidatesOf(validations: readonly ValidationMetric[]): Candidate[] {
  const bestStep = validations.findLast((it) => it.best)?.step;
  return validations
    .flatMap((metric): Candidate[] =>
      metric.search && typeof metric.macroF1 === 'number'
        ? [
            {
              step: metric.step,
              wording: metric.search.wording,
              macroF1: metric.macroF1,
              loss: metric.loss,
              best: metric.step === bestStep,
              tried: metric.search.tried,
            },
          ]
        : [],
    )
    .reverse();
}

/** Spaces at the ends make no other wording. */
export const sameText = (left: string, right: string): boolean => left.trim() === right.trim();
