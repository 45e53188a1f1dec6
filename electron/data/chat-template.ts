/**
 * Messages as one text, by the base model's own Jinja template (tokenizer_config.json or chat_template.jinja) as transformers
 * renders it, or by a plain one where it has none; and where in the text each answer stands.
 */
import type { Template } from '@huggingface/jinja';
import type { Message, TemplateSource } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { parseTemplate, renderTemplate, TemplateStopped } from './limited-template.js';
import type { TextTokenizer } from './tokenizer.js';
import { readChatTemplate } from './tokenizer-files.js';

/** Of a base without a template: names on lines of their own, each answer ended by the end-of-text token. */
const plainTemplate = `{{ beginning }}{% for message in messages %}{% if message.role == 'system' %}{{ message.content + '\\n\\n' }}{% elif message.role == 'user' %}{{ '### Instruction:\\n' + message.content + '\\n\\n' }}{% else %}{{ '### Response:\\n' + message.content + eos_token }}{% if not loop.last %}{{ '\\n\\n' }}{% endif %}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '### Response:\\n' }}{% endif %}`;

const templateLimit = 200_000;
const mostSteps = 100_000;
/** Templates that write the day into the system text get the day that their authors fall back to: a run must not depend on when it ran. */
const fixedDay = '26 Jul 2024';

/** What templates may call besides the filters: as transformers has it, within limits. */
const globals = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception: (message: unknown) => {
    throw new Error(String(message));
  },
  range: (...ends: number[]) => {
    const [from, to, step] = ends.length === 1 ? [0, ends[0] ?? 0, 1] : [ends[0] ?? 0, ends[1] ?? 0, ends[2] ?? 1];
    const count = step === 0 ? 0 : Math.max(0, Math.ceil((to - from) / step));
    if (count > mostSteps) throw new Error(`range() of more than ${mostSteps} numbers`);
    return Array.from({ length: count }, (_, index) => from + index * step);
  },
  strftime_now: () => fixedDay,
};

/** From UTF-16 unit `from` up to `to` of a text. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

interface Tokens {
  readonly bos: string;
  readonly eos: string;
  /** Put before every text. */
  readonly beginning: string;
  /** Whether a text at this place begins with one of the tokenizer's own tokens; its length, or 0. */
  readonly special: (text: string, at: number) => number;
}

export class ChatTemplate {
  readonly #template: Template;

  /** Use `openChatTemplate`. @throws StudioError `bad-model` where the text is no template */
  constructor(
    text: string,
    readonly source: TemplateSource,
    private readonly tokens: Tokens,
    /** Of the base model, for messages. */
    private readonly folder = 'the studio',
  ) {
    if (text.length > templateLimit) throw badTemplate(folder, source, `it is longer than ${templateLimit} characters`);
    try {
      this.#template = parseTemplate(text);
    } catch (error) {
      throw badTemplate(folder, source, messageOf(error));
    }
  }

  /**
   * The text of some messages; with `prompt` up to where the assistant's next answer begins.
   * @throws StudioError `bad-data` where the template refuses them, `bad-model` where it does more than it may (limited-template.ts)
   */
  render(messages: readonly Message[], prompt = false): string {
    const { bos, eos, beginning } = this.tokens;
    const values = {
      ...globals,
      messages: messages.map(({ role, content }) => ({ role, content })),
      add_generation_prompt: prompt,
      bos_token: bos,
      eos_token: eos,
      beginning,
      tools: null,
    };
    try {
      return renderTemplate(this.#template, values);
    } catch (error) {
      if (error instanceof TemplateStopped)
        throw new StudioError(
          'bad-model',
          `The chat template in ${this.folder} (${this.source}) was stopped: ${error.message}.`,
          'No honest template does so: use the model only if you trust where it comes from, and take its files again, or choose another base model.',
          { folder: this.folder, template: this.source },
        );
      throw new StudioError(
        'bad-data',
        `The chat template of the base model (${this.source}) does not take this conversation: ${messageOf(error)}.`,
        'Bring the messages into the order that the model was trained with (often: an optional system text, then user and assistant in turn), or choose another base model.',
        { template: this.source },
      );
    }
  }

  /**
   * The whole text of a conversation and the spans of its answers, each from where the template hands over to the assistant up to
   * the end of the token that ends its turn.
   * @throws StudioError `bad-data` as `render`, and where an answer is not to be found in the text
   */
  answers(messages: readonly Message[]): { readonly text: string; readonly spans: readonly Span[] } {
    const text = this.render(messages);
    const spans: Span[] = [];
    let end = 0;
    messages.forEach((message, index) => {
      if (message.role !== 'assistant') return;
      const content = message.content.trim();
      const { prompt, after } = this.#beginning(messages.slice(0, index), text);
      const from = text.indexOf(content, Math.max(end, after));
      if (from < 0)
        throw new StudioError(
          'bad-data',
          `The chat template of the base model (${this.source}) changes the text of message ${index + 1}, so that the answer cannot be told from the rest.`,
          'Set training.completionOnlyLoss to false to train on the whole text.',
          { template: this.source },
        );
      // Blanks may stand between an answer and the token that ends it, as Llama 2 has it.
      let to = from + content.length;
      const blanks = /^\s*/.exec(text.slice(to, to + 16))?.[0].length ?? 0;
      const special = this.tokens.special(text, to + blanks);
      if (special > 0) to += blanks + special;
      spans.push({ from: prompt ?? from, to });
      end = to;
    });
    return { text, spans };
  }

  /** Where an answer to some messages begins in `text` (null where the template has no place of its own for it), and what it stands behind. */
  #beginning(before: readonly Message[], text: string): { prompt: number | null; after: number } {
    if (before.length === 0) return { prompt: null, after: 0 };
    const asked = this.render(before, true);
    const plain = this.render(before);
    if (asked !== plain && text.startsWith(asked)) return { prompt: asked.length, after: asked.length };
    return { prompt: null, after: text.startsWith(plain) ? plain.length : 0 };
  }
}

/**
 * The template of a base model's folder; the plain one where it has none.
 * @throws StudioError `bad-model` for a template that cannot be read
 */
export async function openChatTemplate(folder: string, tokenizer: TextTokenizer): Promise<ChatTemplate> {
  const own = await readChatTemplate(folder);
  const { bos, eos } = tokenizer;
  const tokens = {
    bos: bos?.text ?? '',
    eos: eos?.text ?? '',
    beginning: own === null && (await tokenizer.beginsTexts()) ? (bos?.text ?? '') : '',
    special: (text: string, at: number) => tokenizer.specialAt(text, at),
  };
  return new ChatTemplate(own?.text ?? plainTemplate, own?.source ?? 'plain', tokens, folder);
}

/** The plain template without a base model, to show how a conversation will look. */
export const plainChatTemplate = () =>
  new ChatTemplate(plainTemplate, 'plain', {
    bos: '',
    eos: '⏎',
    beginning: '',
    special: (text, at) => +(text[at] === '⏎'),
  });

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, 300);

const badTemplate = (folder: string, source: TemplateSource, why: string) =>
  new StudioError(
    'bad-model',
    `The chat template in ${folder} (${source}) cannot be read: ${why}.`,
    'Take the file from the model again.',
    { file: source },
  );
