/** Finds the texts of sources: what goes through the catalogue, and what stands in a component without it. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'svelte/compiler';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface Found {
  /** "renderer/App.svelte:12" */
  readonly at: string;
  /** The key: the English text, the plural one where a count decides. */
  readonly text: string;
  readonly counted: boolean;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

/** Files below a folder whose name ends so, from the repository's root. */
export function filesBelow(folder: string, endings: readonly string[]): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => endings.some((ending) => name.endsWith(ending)) && !name.endsWith('.d.ts'))
    .map((name) => `${folder}/${name.split(path.sep).join('/')}`)
    .sort();
}

/** The parsed source and the line of a place in it; TypeScript is read as the script of a component without markup. */
function parsed(file: string): { readonly tree: Node; readonly lineOf: (at: number) => number } {
  const text = readFileSync(path.join(root, file), 'utf8');
  const source = file.endsWith('.svelte') ? text : `<script lang="ts">${text}</script>`;
  return {
    tree: parse(source, { modern: true }) as unknown as Node,
    lineOf: (at) => source.slice(0, at).split('\n').length,
  };
}

function* descend(node: Node): Generator<Node> {
  yield node;
  for (const [key, value] of Object.entries(node)) {
    if (key === 'css' || key === 'parent' || key === 'loc' || key === 'comments') continue;
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* descend(child);
  }
}

/** The text of a literal, or of a template without values; null otherwise. */
function literal(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (node.type === 'Literal') return typeof node['value'] === 'string' ? node['value'] : null;
  if (node.type !== 'TemplateLiteral' || (node['expressions'] as unknown[]).length > 0) return null;
  return (node['quasis'] as { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('');
}

/** All texts of `t`, `n` and `mark` in a file. */
export function textsOf(file: string): Found[] {
  const { tree, lineOf } = parsed(file);
  return [...descend(tree)].flatMap((node) => {
    const callee = node['callee'];
    if (node.type !== 'CallExpression' || !isNode(callee) || callee.type !== 'Identifier') return [];
    const name = String(callee['name']);
    const given = node['arguments'] as unknown[];
    const text = name === 'n' ? literal(given[2]) : name === 't' || name === 'mark' ? literal(given[0]) : null;
    return text === null ? [] : [{ at: `${file}:${lineOf(node.start)}`, text, counted: name === 'n' }];
  });
}
