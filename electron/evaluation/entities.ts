/** Entities in tags, and how many were found: as seqeval counts them in its default mode. */
import type { Entity } from '../contract/marked.js';

export interface EntityCounts {
  /** Found where they are and as what they are. */
  readonly correct: number;
  readonly predicted: number;
  readonly expected: number;
}

/** Counts of one sentence, of one type or of all. */
export function countEntities(expected: readonly Entity[], predicted: readonly Entity[], type?: string): EntityCounts {
  const of = (entities: readonly Entity[]) =>
    entities.filter((entity) => type === undefined || entity[2] === type).map((entity) => entity.join(' '));
  const right = new Set(of(expected));
  const found = of(predicted);
  return { correct: found.filter((entity) => right.has(entity)).length, predicted: found.length, expected: right.size };
}

export interface EntityScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** 0 where there is nothing to divide by, as seqeval's zero_division has it. */
export function entityScores({ correct, predicted, expected }: EntityCounts): EntityScores {
  return {
    precision: predicted === 0 ? 0 : correct / predicted,
    recall: expected === 0 ? 0 : correct / expected,
    f1: predicted + expected === 0 ? 0 : (2 * correct) / (predicted + expected),
  };
}
