/** One question at a time, asked by the shell's dialog: `if (await confirm.ask({...})) ...`. */

export interface Question {
  readonly title: string;
  /** What will happen, a line each. */
  readonly lines: readonly string[];
  readonly confirmLabel: string;
  readonly danger: boolean;
}

class Confirm {
  question = $state.raw<Question | null>(null);
  #resolve: ((yes: boolean) => void) | null = null;

  ask(question: {
    title: string;
    lines?: readonly string[];
    confirmLabel: string;
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

  answer(yes: boolean): void {
    this.question = null;
    this.#resolve?.(yes);
    this.#resolve = null;
  }
}

export const confirm = new Confirm();
