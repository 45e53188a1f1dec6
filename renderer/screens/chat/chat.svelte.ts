/** What a project's chat holds while the window is open: who answers, how, and what was said. */
import { z } from 'zod';
import {
  answerTextSchema,
  samplingSchema,
  type AnswerText,
  type Piece,
  type Problem,
  type TextForm,
} from '../../../electron/contract/index.js';
import { call, listen, toProblem } from '../../state/client.js';
import { jobs } from '../../state/jobs.svelte.js';
import { askedOf, type ChatAnswer, type ChatWriter, type Turn } from './writers.js';

const answersSchema = z.array(answerTextSchema);
const { stop: _none, ...defaults } = samplingSchema.parse({});

export class Chat {
  draft = $state('');
  system = $state('');
  /** How tokens are chosen; `stopText`: texts that end an answer, one a line. */
  options = $state({ ...defaults, stopText: '' });
  /** null until the user chooses: the default writers stand. */
  chosen = $state.raw<readonly string[] | null>(null);
  turns = $state.raw<readonly Turn[]>([]);
  /** The turn whose question is being changed; sending it anew drops what came after. */
  editing = $state<number | null>(null);
  busy = $state(false);
  problem = $state.raw<Problem | null>(null);
  #job: string | null = null;
  #stopping = false;
  #nextTurn = 1;
  /** Answers asked anew to one question: each draws otherwise. */
  #again = 0;

  /** Asks all writers; `formOf` tells whether a run goes on from plain text. */
  async send(writers: readonly ChatWriter[], formOf: (writer: ChatWriter) => TextForm | null): Promise<void> {
    const question = this.draft.trim();
    if (this.busy || question === '' || writers.length === 0) return;
    const before = this.turns;
    const at = before.findIndex(({ id }) => id === this.editing);
    this.turns = [...(at < 0 ? before : before.slice(0, at)), { id: this.#nextTurn++, question, answers: {} }];
    this.draft = '';
    this.editing = null;
    this.#again = 0;
    if (await this.#ask(writers, formOf, 0)) return;
    this.turns = before;
    this.draft = question;
  }

  /** Asks one writer the last question once more. */
  async again(writer: ChatWriter, formOf: (writer: ChatWriter) => TextForm | null): Promise<void> {
    if (this.busy || this.turns.length === 0) return;
    this.#again += 1;
    const before = this.turns;
    if (!(await this.#ask([writer], formOf, this.#again))) this.turns = before;
  }

  /** What is written so far stays. */
  async stop(): Promise<void> {
    if (!this.busy) return;
    this.#stopping = true;
    if (this.#job !== null) await jobs.cancel(this.#job).catch((error: unknown) => (this.problem = toProblem(error)));
  }

  /** Takes a question up again, to be changed. */
  edit(turn: Turn): void {
    if (this.busy) return;
    this.editing = turn.id;
    this.draft = turn.question;
  }

  leaveEditing(): void {
    this.editing = null;
    this.draft = '';
  }

  clear(): void {
    if (this.busy) return;
    this.turns = [];
    this.editing = null;
    this.problem = null;
  }

  /** Whether the writers were asked; answers that failed by themselves say so. */
  async #ask(
    writers: readonly ChatWriter[],
    formOf: (writer: ChatWriter) => TextForm | null,
    shift: number,
  ): Promise<boolean> {
    this.busy = true;
    this.#stopping = false;
    this.problem = null;
    const speakers = writers.map((writer) => askedOf(writer, this.turns, this.system, formOf(writer)));
    this.#put(writers.map(({ key }) => [key, { text: '', writing: null }]));
    const { stopText, ...options } = this.options;
    const stop = stopText.split('\n').filter((line) => line !== '');
    const sampling = { ...options, seed: (options.seed + shift) % 2 ** 32, stop };
    // Pieces may come before the answer that names their job.
    const early: { jobId: string; pieces: readonly Piece[] }[] = [];
    const take = (told: (typeof early)[number]) => {
      if (this.#job === null) early.push(told);
      else if (told.jobId === this.#job) this.#append(writers, told.pieces);
    };
    const unlisten = listen('pieces', take);
    try {
      const { jobId } = await call('chat.generate', { speakers, sampling });
      this.#job = jobId;
      for (const told of early) take(told);
      if (this.#stopping) await jobs.cancel(jobId);
      const answers: readonly AnswerText[] = answersSchema.parse(await jobs.finished(jobId));
      this.#put(writers.flatMap(({ key }, place) => resultOf(key, answers[place])));
      return true;
    } catch (error) {
      const problem = toProblem(error);
      // What was stopped while it waited its turn was never begun: the question stands in its field again.
      if (!this.#stopping || problem.code !== 'cancelled') this.problem = problem;
      return false;
    } finally {
      unlisten();
      this.#job = null;
      this.busy = false;
    }
  }

  #append(writers: readonly ChatWriter[], pieces: readonly Piece[]): void {
    const answers = this.turns.at(-1)?.answers ?? {};
    this.#put(
      pieces.flatMap(({ speaker, text, writing }): [string, ChatAnswer][] => {
        const key = writers[speaker]?.key;
        return key === undefined ? [] : [[key, { text: (answers[key]?.text ?? '') + text, writing }]];
      }),
    );
  }

  /** Answers of the last turn. */
  #put(entries: readonly (readonly [string, ChatAnswer])[]): void {
    const last = this.turns.at(-1);
    if (!last) return;
    this.turns = [
      ...this.turns.slice(0, -1),
      { ...last, answers: { ...last.answers, ...Object.fromEntries(entries) } },
    ];
  }
}

function resultOf(key: string, answer: AnswerText | undefined): [string, ChatAnswer][] {
  if (answer === undefined) return [];
  const { text, ...writing } = answer;
  return [[key, { text, writing }]];
}

const byProject = new Map<number, Chat>();
/** The chat of a project; what was said is still there when the screen is opened again. */
export function chatOf(projectId: number): Chat {
  let chat = byProject.get(projectId);
  if (!chat) byProject.set(projectId, (chat = new Chat()));
  return chat;
}
