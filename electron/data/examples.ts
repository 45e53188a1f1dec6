/** Some rows of a file as they will be trained on: what an import shows before it is done. */
import type { GenerationColumns, TokenizedExample } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { plainChatTemplate } from './chat-template.js';
import { exampleOf } from './conversations.js';
import { languageExamples, type LanguageExample, type LanguageTools } from './language.js';
import { readRows } from './rows.js';
import type { LanguageText, ReadingOptions } from './types.js';

interface Options {
  readonly maxLength: number;
  readonly completionOnly: boolean;
}
export type PlacedRow = { readonly line: number } & (LanguageText | { readonly problem: string });

/** The first rows of a file by the roles of its columns, those that cannot be used with the reason. @throws StudioError as `readRows` */
export async function firstExamples(
  path: string,
  reading: ReadingOptions,
  columns: GenerationColumns,
  limit: number,
): Promise<PlacedRow[]> {
  const rows: PlacedRow[] = [];
  for await (const row of readRows(path, reading)) {
    rows.push('problem' in row ? row : { line: row.line, ...exampleOf(row.values, columns) });
    if (rows.length >= limit) break;
  }
  return rows;
}

/** Rows token by token with a base model's tokenizer and template; without one message by message in the plain template. */
export async function tokenizedExamples(
  rows: readonly PlacedRow[],
  tools: LanguageTools | null,
  options: Options,
): Promise<TokenizedExample[]> {
  const examples: TokenizedExample[] = [];
  for (const row of rows) {
    const told = 'problem' in row ? { problem: row.problem } : await toldOf(row, tools, options);
    examples.push({ pieces: [], tokens: 0, trainedTokens: 0, cutTokens: 0, line: row.line, problem: null, ...told });
  }
  return examples;
}

type Told = Partial<TokenizedExample>;

/** What the template refuses is the row's problem here, not the preview's. */
async function toldOf(row: PlacedRow & LanguageText, tools: LanguageTools | null, options: Options): Promise<Told> {
  try {
    if (tools === null) return inMessages(row, options.completionOnly);
    const [example] = await languageExamples([{ id: row.line, ...row }], tools, options.completionOnly);
    return example === undefined ? {} : inTokens(example, options.maxLength);
  } catch (error) {
    if (error instanceof StudioError && error.code === 'bad-data') return { problem: error.message };
    throw error;
  }
}

function inMessages({ text, messages }: LanguageText, completionOnly: boolean): Told {
  if (messages === null) return { pieces: [{ text, trained: true }] };
  const { text: whole, spans } = plainChatTemplate().answers(messages);
  if (!completionOnly) return { pieces: [{ text: whole, trained: true }] };
  const pieces: { text: string; trained: boolean }[] = [];
  let at = 0;
  for (const { from, to } of spans) {
    pieces.push({ text: whole.slice(at, from), trained: false }, { text: whole.slice(from, to), trained: true });
    at = to;
  }
  return { pieces: [...pieces, { text: whole.slice(at), trained: false }].filter((piece) => piece.text !== '') };
}

function inTokens({ text, ids, from, to, trained }: LanguageExample, maxLength: number): Told {
  const kept = Math.min(ids.length, maxLength);
  const pieces: { text: string; trained: boolean }[] = [];
  let at = 0;
  for (let token = 0; token < kept; token += 1) {
    const end = Math.max(at, to[token] ?? at);
    // Tokens of one character share its place: the first of them shows it. What lies between two tokens goes with the later one.
    if (end > at || (from[token] ?? 0) > at) pieces.push({ text: text.slice(at, end), trained: trained[token] === 1 });
    at = end;
  }
  const trainedTokens = trained.subarray(0, kept).reduce((sum, one) => sum + one, 0);
  return {
    pieces,
    tokens: ids.length,
    trainedTokens,
    cutTokens: ids.length - kept,
    problem: trainedTokens > 0 ? null : `no token to learn lies within ${maxLength} tokens`,
  };
}
