/** A row's columns as what a language model learns from: a text, or messages in the order of a conversation. */
import { cellOf } from './cells.js';
import type { GenerationColumns, Message } from '../contract/entities.js';

/** A text (`messages` null), or a conversation that ends with an answer. */
export interface Example {
  readonly text: string;
  readonly messages: readonly Message[] | null;
}
type Problem = { readonly problem: string };

const roles: Readonly<Record<string, Message['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  prompter: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bot: 'assistant',
  model: 'assistant',
};

/** The columns that a form reads, in the order of their roles. */
export function columnsOf(columns: GenerationColumns): { readonly role: string; readonly column: string }[] {
  const { form: _form, ...byRole } = columns;
  return Object.entries(byRole).flatMap(([role, column]) => (column === null ? [] : [{ role, column }]));
}

/** What a row is made to, or why it can be nothing. A missing or blank system text or input counts as none. */
export function exampleOf(values: Readonly<Record<string, string>>, columns: GenerationColumns): Example | Problem {
  const cell = (name: string | null) => (name === null ? undefined : cellOf(values, name));
  const filled = (name: string | null) => {
    const value = cell(name);
    return value === undefined || value.trim() === '' ? null : value;
  };
  const system = (name: string | null): Message[] => {
    const content = filled(name);
    return content === null ? [] : [{ role: 'system', content }];
  };
  switch (columns.form) {
    case 'text': {
      const text = filled(columns.text);
      return text === null ? { problem: `the text is empty: the column "${columns.text}"` } : { text, messages: null };
    }
    case 'instruction': {
      const parts = [filled(columns.prompt), filled(columns.input)].filter((part) => part !== null);
      if (parts.length === 0) return { problem: `the prompt is empty: the column "${columns.prompt}"` };
      const completion = filled(columns.completion);
      if (completion === null) return { problem: `the completion is empty: the column "${columns.completion}"` };
      return conversation([
        ...system(columns.system),
        { role: 'user', content: parts.join('\n\n') },
        { role: 'assistant', content: completion },
      ]);
    }
    case 'chat': {
      const text = filled(columns.messages);
      if (text === null) return { problem: `there are no messages: the column "${columns.messages}" is empty` };
      const read = messagesOf(text, columns.messages);
      if ('problem' in read) return read;
      const first = read.messages[0]?.role === 'system' ? [] : system(columns.system);
      return conversation([...first, ...read.messages]);
    }
  }
}

/** Messages of OpenAI's form (role, content) or ShareGPT's (from, value), as JSON. */
function messagesOf(text: string, column: string): { readonly messages: Message[] } | Problem {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return { problem: `the column "${column}" holds no list of messages: it is not JSON` };
  }
  if (!Array.isArray(list)) return { problem: `the column "${column}" holds no list of messages` };
  const messages: Message[] = [];
  for (const [index, entry] of (list as unknown[]).entries()) {
    const which = `message ${index + 1}`;
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
      return { problem: `${which} is no object with a role and a text` };
    const fields = new Map<string, unknown>(Object.entries(entry));
    const named = fields.get('role') ?? fields.get('from');
    if (typeof named !== 'string' || named === '') return { problem: `${which} has no role` };
    const role = Object.hasOwn(roles, named.toLowerCase()) ? roles[named.toLowerCase()] : undefined;
    if (role === undefined)
      return { problem: `${which} has the role "${named.slice(0, 40)}"; system, user and assistant can be used` };
    const content = textOf(fields.get('content') ?? fields.get('value'));
    if (content === null) return { problem: `${which} (${role}) has no text` };
    if (content.trim() === '') return { problem: `${which} (${role}) is empty` };
    messages.push({ role, content });
  }
  return { messages };
}

/** A text, or a list of parts of which all are texts. */
function textOf(content: unknown): string | null {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return null;
  const parts = (content as unknown[]).map((part) =>
    typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string' ? part.text : null,
  );
  return parts.every((part) => part !== null) ? parts.join('') : null;
}

function conversation(messages: readonly Message[]): Example | Problem {
  const last = messages.at(-1);
  if (last === undefined) return { problem: 'there are no messages' };
  const system = messages.findLastIndex(({ role }) => role === 'system');
  if (system > 0) return { problem: `message ${system + 1} is the system's; only the first may be` };
  if (last.role !== 'assistant') return { problem: `the last message is the ${last.role}'s: no answer follows it` };
  return { text: beforeAnswer(messages), messages };
}

/** What comes before the last answer, to read and search: a lone question as it is, more with the speakers' names. */
function beforeAnswer(messages: readonly Message[]): string {
  const before = messages.slice(0, -1);
  const [only] = before;
  if (before.length === 1 && only?.role === 'user') return only.content;
  return before.map(({ role, content }) => `${role}: ${content}`).join('\n');
}
