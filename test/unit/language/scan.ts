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

/** The names that a file imports from the language; others of the same name are something else. */
const importedBy = (nodes: readonly Node[]): ReadonlySet<string> =>
  new Set(
    nodes
      .filter(
        ({ type, source }) => type === 'ImportDeclaration' && /language(\/index)?\.js$/.test(literal(source) ?? ''),
      )
      .flatMap(({ specifiers }) => (specifiers as { local: { name: string } }[]).map(({ local }) => local.name)),
  );

/** All texts of `t`, `n` and `mark` in a file. */
export function textsOf(file: string): Found[] {
  const { tree, lineOf } = parsed(file);
  const nodes = [...descend(tree)];
  const imported = importedBy(nodes);
  return nodes.flatMap((node) => {
    const callee = node['callee'];
    if (node.type !== 'CallExpression' || !isNode(callee) || callee.type !== 'Identifier') return [];
    const name = String(callee['name']);
    if (!imported.has(name)) return [];
    const given = node['arguments'] as unknown[];
    const text = name === 'n' ? literal(given[2]) : name === 't' || name === 'mark' ? literal(given[0]) : null;
    return text === null ? [] : [{ at: `${file}:${lineOf(node.start)}`, text, counted: name === 'n' }];
  });
}

/** What may stand in a component as it is: names, signs and units that are the same everywhere. */
const same = new Set(['ms', 'nats', 'MB', 'GB', 'Ctrl', 'Esc', 'KV', 'LN', 'SEP']);
/** Attributes and props of our components that are read by people. */
const readable =
  /^(title|label|aria-label|aria-description|placeholder|alt|facts|hint|note|text|empty|waiting|suffix|prefix|message)$/;
const hasWords = (text: string) => (text.match(/\p{L}{2,}/gu) ?? []).some((word) => !same.has(word));

/** Literals that an expression gives as its value: itself, branches of conditions, pieces of templates. */
function* given(node: unknown): Generator<{ readonly text: string; readonly start: number }> {
  if (!isNode(node)) return;
  switch (node.type) {
    case 'Literal':
      if (typeof node['value'] === 'string') yield { text: node['value'], start: node.start };
      return;
    case 'TemplateLiteral':
      for (const quasi of node['quasis'] as { value: { cooked: string } }[])
        yield { text: quasi.value.cooked, start: node.start };
      for (const expression of node['expressions'] as unknown[]) yield* given(expression);
      return;
    case 'ConditionalExpression':
      yield* given(node['consequent']);
      yield* given(node['alternate']);
      return;
    case 'LogicalExpression':
      yield* given(node['left']);
      yield* given(node['right']);
      return;
    default:
  }
}

/** Words in the markup of a component that no `t` translates, with their place. */
export function rawTextsOf(file: string): { readonly at: string; readonly text: string }[] {
  const { tree, lineOf } = parsed(file);
  const found: { at: string; text: string }[] = [];
  const tell = (start: number, text: string) => {
    if (hasWords(text)) found.push({ at: `${file}:${lineOf(start)}`, text: text.trim() });
  };
  const visit = (node: Node, parent: Node | null): void => {
    if (['Script', 'StyleSheet', 'StyleDirective'].includes(node.type)) return;
    // Keys and code are the same in every language.
    if (node.type === 'RegularElement' && ['kbd', 'code', 'svg'].includes(String(node['name']))) return;
    if (node.type === 'Text' && parent?.type !== 'Attribute') tell(node.start, String(node['data']));
    if (node.type === 'ExpressionTag' && parent?.type === 'Fragment')
      for (const { text, start } of given(node['expression'])) tell(start, text);
    if (node.type === 'Attribute') {
      if (!readable.test(String(node['name']))) return;
      for (const part of [node['value']].flat())
        if (isNode(part)) {
          if (part.type === 'Text') tell(part.start, String(part['data']));
          else for (const { text, start } of given(part['expression'])) tell(start, text);
        }
      return;
    }
    for (const [key, value] of Object.entries(node)) {
      if (['instance', 'module', 'css', 'expression', 'parent', 'comments'].includes(key)) continue;
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, node);
    }
  };
  visit(tree, null);
  return found;
}
