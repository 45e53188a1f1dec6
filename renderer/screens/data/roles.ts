/** Roles of columns and the name a file suggests. Pure functions. */
import type { FilePreview } from '../../../electron/contract/index.js';

export type Role = FilePreview['columns'][number]['suggestedRole'];

/** File name without folder and ending: "/home/a/tickets-2025.csv" gives "tickets-2025". */
export function baseName(path: string): string {
  const last = path.split(/[/\\]/).pop() ?? path;
  return last.replace(/\.(csv|tsv|jsonl?|ndjson|parquet|txt|conll|iob2?|bio)$/i, '') || last;
}

/** Gives `column` its role; a role that only one column can have is taken from the column that had it. */
export function assignRole(roles: Readonly<Record<string, Role>>, column: string, role: Role): Record<string, Role> {
  const next: Record<string, Role> = {};
  for (const [name, old] of Object.entries(roles)) next[name] = role !== 'ignore' && old === role ? 'ignore' : old;
  next[column] = role;
  return next;
}
