/** The columns that a row is made from where one text and one label do not make it, and the request they come to. Pure functions. */
import type { FilePreview, GenerationColumns, TextForm } from '../../../electron/contract/index.js';
import { mark, t } from '../../language.js';

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
  label: mark('System text'),
  hint: mark('What the model is told before the conversation.'),
  needed: false,
};
export const textRoles: { readonly [F in TextForm]: readonly PartRole[] } = {
  text: [
    {
      key: 'text',
      label: mark('Text'),
      hint: mark('Every token of it is learned from those before it.'),
      needed: true,
    },
  ],
  instruction: [
    { key: 'prompt', label: mark('Prompt'), hint: mark('What the user asks.'), needed: true },
    { key: 'input', label: mark('Input'), hint: mark('Put behind the prompt, as Alpaca has it.'), needed: false },
    { key: 'completion', label: mark('Completion'), hint: mark('What the model is to answer.'), needed: true },
    system,
  ],
  chat: [
    {
      key: 'messages',
      label: mark('Messages'),
      hint: mark("A list in each row: OpenAI's role and content, or ShareGPT's from and value."),
      needed: true,
    },
    system,
  ],
};

export const markedRoles: { readonly [T in 'tagging' | 'questions']: readonly PartRole[] } = {
  tagging: [
    { key: 'words', label: mark('Words'), hint: mark('A list of words, or a line each in CoNLL files.'), needed: true },
    {
      key: 'tags',
      label: mark('Tags'),
      hint: mark('A tag for each word: BIO, IOB, BIOES or bare types.'),
      needed: true,
    },
  ],
  questions: [
    { key: 'question', label: mark('Question'), hint: mark('What is asked of the context.'), needed: true },
    { key: 'context', label: mark('Context'), hint: mark('The text in which the answer stands.'), needed: true },
    {
      key: 'answers',
      label: mark('Answers'),
      hint: mark('With their places, as SQuAD has them, or alone.'),
      needed: true,
    },
    {
      key: 'group',
      label: mark('Group'),
      hint: mark('Rows that share it stay in one split: an article.'),
      needed: false,
    },
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
  return missing ? t('Choose the column of the {part}.', { part: t(missing.label.toLowerCase()) }) : null;
}
