/** Who answers in a chat, and what each is asked. Pure functions. */
import { number } from '../../state/format.js';
import type { Message, Run, Speaker, TextForm, Writing } from '../../../electron/contract/index.js';
import { t } from '../../language.js';

/** Columns that a chat may have. */
export const mostWriters = 8;

/** A run, or a base as it was before training, which is reached through one of its runs. */
export interface ChatWriter {
  /** "run 7"; "base 2" by the model's number. */
  readonly key: string;
  readonly run: Run;
  readonly trained: boolean;
}

export const runWriter = (run: Run): ChatWriter => ({ key: `run ${run.id}`, run, trained: true });
export const baseWriter = (run: Run): ChatWriter => ({ key: `base ${run.modelId}`, run, trained: false });

/** All that can answer: a base for each model, the newest first, then the runs. */
export function allWriters(finished: readonly Run[]): ChatWriter[] {
  const bases = new Map<number, ChatWriter>();
  for (const run of finished) if (!bases.has(run.modelId)) bases.set(run.modelId, baseWriter(run));
  return [...bases.values(), ...finished.map(runWriter)];
}

/** The base and, of the newest model and data, one run a method with the lowest seed, full fine-tuning first; `asked` is among them. */
export function defaultWriters(finished: readonly Run[], asked: Run | null, limit = 3): string[] {
  const newest = asked ?? finished[0];
  if (!newest) return [];
  const byMethod = new Map<string, Run>(asked ? [[asked.plan.method.type, asked]] : []);
  for (const run of finished) {
    if (run.datasetId !== newest.datasetId || run.modelId !== newest.modelId) continue;
    const known = byMethod.get(run.plan.method.type);
    if (!known || (known !== asked && run.seed < known.seed)) byMethod.set(run.plan.method.type, run);
  }
  const rank = (run: Run) => (run.plan.method.type === 'full' ? 0 : run === asked ? 1 : 2);
  const chosen = [...byMethod.values()].sort((a, b) => rank(a) - rank(b)).slice(0, limit);
  return [baseWriter(newest), ...chosen.map(runWriter)].map(({ key }) => key);
}

/** An answer as far as it is written; `writing` is null until the model is asked. */
export interface ChatAnswer {
  readonly text: string;
  readonly writing: Writing | null;
}

/** A question and, by the writers' keys, what came of it. */
export interface Turn {
  readonly id: number;
  readonly question: string;
  readonly answers: Readonly<Record<string, ChatAnswer>>;
}

/**
 * What a writer is asked with the last of some turns. It sees its own earlier answers, and only the questions that it answered.
 * A run on plain text goes on from the question alone.
 */
export function askedOf(
  { key, run, trained }: ChatWriter,
  turns: readonly Turn[],
  system: string,
  form: TextForm | null,
): Speaker {
  const question = turns.at(-1)?.question ?? '';
  if (form === 'text') return { runId: run.id, trained, asked: { text: question } };
  const messages: Message[] = system.trim() === '' ? [] : [{ role: 'system', content: system }];
  for (const turn of turns.slice(0, -1)) {
    const answer = turn.answers[key];
    if (answer === undefined || answer.text.trim() === '') continue;
    messages.push({ role: 'user', content: turn.question }, { role: 'assistant', content: answer.text });
  }
  messages.push({ role: 'user', content: question });
  return { runId: run.id, trained, asked: { messages } };
}

/** How an answer ended, in a word. */
export function stateOf({ writing }: ChatAnswer): {
  kind: 'active' | 'good' | 'warn' | 'bad' | 'waiting';
  word: string;
} {
  if (writing === null) return { kind: 'waiting', word: t('Waiting') };
  switch (writing.ended) {
    case null:
      return { kind: 'active', word: writing.tokens === 0 ? t('Reading') : t('Streaming') };
    case 'stop':
      return { kind: 'good', word: t('Done') };
    case 'length':
      return { kind: 'warn', word: t('Cut off at its longest') };
    case 'stopped':
      return { kind: 'warn', word: t('Stopped') };
    case 'problem':
      return { kind: 'bad', word: t('Failed') };
  }
}

/** "2.1 ms", "240 ms", "1.32 s". */
export function shortTime(seconds: number): string {
  if (seconds >= 0.9995) return `${number(seconds, 2)} s`;
  return t('{seconds} ms', { seconds: number(seconds * 1000, seconds < 0.00995 ? 1 : 0) });
}

/** What was read from the disk before the answer of a run (`trained`) or of a base, in words. */
export function loadedWords(loaded: Writing['loaded'], trained: boolean): string {
  if (loaded === 'nothing') return t('nothing, all was open');
  if (loaded === 'parameters') return t('trained weights only');
  return trained ? t('base and trained weights') : t('base');
}
