/** One question at a time, asked by the shell's dialog: `if (await confirm.ask({...})) ...`. */
import type { Removal } from '../../electron/contract/index.js';
import { bytes } from './format.js';
import { t } from '../language.js';

export interface Question {
  readonly title: string;
  /** What will happen, a line each. */
  readonly lines: readonly string[];
  /** null where nothing can be done: the question is then an answer. */
  readonly confirmLabel: string | null;
  readonly danger: boolean;
}

class Confirm {
  question = $state.raw<Question | null>(null);
  #resolve: ((yes: boolean) => void) | null = null;

  ask(question: {
    title: string;
    lines?: readonly string[];
    confirmLabel: string | null;
    danger?: boolean;
  }): Promise<boolean> {
    this.answer(false);
    this.question = {
      title: question.title,
      lines: question.lines ?? [],
      confirmLabel: question.confirmLabel,
      danger: question.danger ?? false,
    };
    return new Promise((resolve) => (this.#resolve = resolve));
  }

  /** Says what goes and asks; of what cannot go now it says why, and the answer is no. */
  removal({ title, lines, bytes: size, blocked }: Removal, confirmLabel: string): Promise<boolean> {
    return blocked === undefined
      ? this.ask({
          title,
          lines: size > 0 ? [...lines, t('{size} on disk are freed.', { size: bytes(size) })] : lines,
          confirmLabel,
          danger: true,
        })
      : this.ask({ title: title.replace(/\?$/, ': not yet'), lines: [blocked], confirmLabel: null });
  }

  answer(yes: boolean): void {
    this.question = null;
    this.#resolve?.(yes);
    this.#resolve = null;
  }
}

export const confirm = new Confirm();
