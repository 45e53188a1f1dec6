/** The columns that a row is made from where one text and one label do not make it, and the request they come to. Pure functions. */
import type { FilePreview, GenerationColumns, TextForm } from '../../../electron/contract/index.js';

export type Part =
  | 'text'
  | 'prompt'
  | 'input'
  | 'completion'
  | 'messages'
  | 'system'
  | 'words'
  | 'tags'
  | 'question'
  | 'context'
  | 'answers'
  | 'group';
export type Parts = Readonly<Partial<Record<Part, string | null>>>;

export interface PartRole {
  readonly key: Part;
  readonly label: string;
  readonly hint: string;
  readonly needed: boolean;
}

const system: PartRole = {
  key: 'system',
  label: 'System text',
  hint: 'What the model is told before the conversation.',
  needed: false,
};
export const textRoles: { readonly [F in TextForm]: readonly PartRole[] } = {
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

export const markedRoles: { readonly [T in 'tagging' | 'questions']: readonly PartRole[] } = {
  tagging: [
    { key: 'words', label: 'Words', hint: 'A list of words, or a line each in CoNLL files.', needed: true },
    { key: 'tags', label: 'Tags', hint: 'A tag for each word: BIO, IOB, BIOES or bare types.', needed: true },
  ],
  questions: [
    { key: 'question', label: 'Question', hint: 'What is asked of the context.', needed: true },
    { key: 'context', label: 'Context', hint: 'The text in which the answer stands.', needed: true },
    { key: 'answers', label: 'Answers', hint: 'With their places, as SQuAD has them, or alone.', needed: true },
    { key: 'group', label: 'Group', hint: 'Rows that share it stay in one split: an article.', needed: false },
  ],
};

/** The parts that a file's suggestions name, of every task; their keys differ. */
export function partsOf({
  generation,
  tagging,
  questions,
}: Pick<FilePreview, 'generation' | 'tagging' | 'questions'>): Parts {
  const { form: _form, ...written } = generation ?? { form: null };
  return { ...written, ...(tagging && { words: tagging.words, tags: tagging.tags }), ...questions };
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
export function missingPart(roles: readonly PartRole[], parts: Parts): string | null {
  const missing = roles.find(({ key, needed }) => needed && (parts[key] ?? null) === null);
  return missing ? `Choose the column of the ${missing.label.toLowerCase()}.` : null;
}
