/** Short notices in the corner; problems stay until closed. */
import { problemHref } from './help.js';
import { toProblem } from './client.js';

export interface Toast {
  readonly id: number;
  readonly tone: 'good' | 'warn' | 'bad' | 'plain';
  readonly text: string;
  readonly hint: string | null;
  /** Address of the page that explains it. */
  readonly help: string | null;
  readonly action: { readonly label: string; readonly run: () => void } | null;
}

interface Options {
  readonly tone?: Toast['tone'];
  readonly hint?: string | null;
  readonly help?: string;
  readonly action?: Toast['action'];
  readonly seconds?: number | null;
}

class Toasts {
  list = $state.raw<readonly Toast[]>([]);
  #next = 1;

  show(text: string, options: Options = {}): void {
    this.add(text, options);
  }

  /** Shows a notice, and returns its number for closing it. */
  add(text: string, options: Options = {}): number {
    const tone = options.tone ?? 'plain';
    const toast: Toast = {
      id: this.#next++,
      tone,
      text,
      hint: options.hint ?? null,
      help: options.help ?? null,
      action: options.action ?? null,
    };
    this.list = [...this.list.slice(-3), toast];
    const seconds = options.seconds === undefined ? (tone === 'bad' ? null : 6) : options.seconds;
    if (seconds !== null) setTimeout(() => this.close(toast.id), seconds * 1000);
    return toast.id;
  }

  /** Shows what was caught; a cancelled action needs no notice. */
  problem(error: unknown): void {
    const problem = toProblem(error);
    if (problem.code !== 'cancelled')
      this.show(problem.message, { tone: 'bad', hint: problem.hint, help: problemHref(problem.code) });
  }

  close(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
