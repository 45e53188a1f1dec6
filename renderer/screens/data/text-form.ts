/** The columns that a form of text is made from, and the request they come to. Pure functions. */
import type { GenerationColumns, TextForm } from '../../../electron/contract/index.js';

export type Part = 'text' | 'prompt' | 'input' | 'completion' | 'messages' | 'system';
export type Parts = Readonly<Partial<Record<Part, string | null>>>;

interface TextRole {
  readonly key: Part;
  readonly label: string;
  readonly hint: string;
  readonly needed: boolean;
}

const system: TextRole = {
  key: 'system',
  label: 'System text',
  hint: 'What the model is told before the conversation.',
  needed: false,
};
export const textRoles: { readonly [F in TextForm]: readonly TextRole[] } = {
  text: [{ key: 'text', label: 'Text', hint: 'Every token of it is learned from those before it.', needed: true }],
  instruction: [
    { key: 'prompt', label: 'Prompt', hint: 'What the user asks.', needed: true },
    { key: 'input', label: 'Input', hint: 'Put behind the prompt, as Alpaca has it.', needed: false },
    { key: 'completion', label: 'Completion', hint: 'What the model is to answer.', needed: true },
    system,
  ],
  chat: [
    {
      key: 'messages',
      label: 'Messages',
      hint: "A list in each row: OpenAI's role and content, or ShareGPT's from and value.",
      needed: true,
    },
    system,
  ],
};

/** The parts that a suggestion names. */
export function partsOf(columns: GenerationColumns | null): Parts {
  if (columns === null) return {};
  const { form: _form, ...parts } = columns;
  return parts;
}

/** What is asked of the import; null while a needed column is missing. */
export function columnsFrom(form: TextForm, parts: Parts): GenerationColumns | null {
  const own = (part: Part) => parts[part] ?? null;
  switch (form) {
    case 'text': {
      const text = own('text');
      return text === null ? null : { form, text };
    }
    case 'instruction': {
      const [prompt, completion] = [own('prompt'), own('completion')];
      return prompt === null || completion === null
        ? null
        : { form, prompt, input: own('input'), completion, system: own('system') };
    }
    case 'chat': {
      const messages = own('messages');
      return messages === null ? null : { form, messages, system: own('system') };
    }
  }
}

/** The first needed column that is missing, in words; null where none is. */
export function missingPart(form: TextForm, parts: Parts): string | null {
  const missing = textRoles[form].find(({ key, needed }) => needed && (parts[key] ?? null) === null);
  return missing ? `Choose the column of the ${missing.label.toLowerCase()}.` : null;
}
