/** Several labels a row: the columns they stand in, and how a row keeps them. */
import { z } from 'zod';
import type { MultiLabelColumns } from './entities.js';
import type { Task } from './objectives.js';

export const labelColumns = (of: MultiLabelColumns): readonly string[] =>
  of.form === 'columns' ? of.columns : [of.column];

const stored = z.array(z.string());
/** The labels of a row of several, which stands as JSON. Throws where it is none. */
export const labelsOfRow = (label: string): string[] => stored.parse(JSON.parse(label));

/** A row's label as people read it: "a, b"; "none" where it has none of several. */
export function labelInWords(task: Task, label: string): string {
  if (task !== 'multi-label') return label;
  const labels = labelsOfRow(label);
  return labels.length === 0 ? 'none' : labels.join(', ');
}
