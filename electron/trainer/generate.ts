/** Models write side by side: each in turn a token, so that all are seen to write, and each timed by its own work. */
import type { AnswerText, Piece, Sampling, Writing } from '../contract/entities.js';
import { StopWords, TextStream } from '../data/index.js';
import type { Generated } from '../engine/index.js';
import type { GeneratorCache, OpenWriter } from './generators.js';
import { toProblem } from './problems.js';
import type { JobOf, ResultOf, Writer } from './protocol.js';
import type { JobContext } from './server.js';

const millisecondsBetween = 60;

/** @throws nothing that a writer failed with: its answer says it */
export async function generate(
  job: JobOf<'generate'>,
  context: JobContext,
  cache: GeneratorCache,
): Promise<ResultOf<'generate'>> {
  const answers = job.writers.map((writer) => new Answer(writer, job.sampling));
  const tell = new Teller(answers, context);
  const stopped = await untilCancelled(async () => {
    for (const answer of answers) {
      await context.breathe();
      await answer.open(cache, job);
      await tell.now();
    }
    for (let writing = answers; writing.length > 0; writing = writing.filter(({ ended }) => !ended)) {
      for (const answer of writing) {
        await answer.next();
        await tell.ifDue();
        await context.breathe();
      }
    }
  });
  if (stopped) for (const answer of answers) await answer.stop();
  await tell.now();
  return { type: 'generate', answers: answers.map((answer) => answer.result) };
}

/** Whether the work was cut off by a cancellation; other failures pass on. */
async function untilCancelled(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    if (toProblem(error).code === 'cancelled') return true;
    throw error;
  }
}

/** One writer's answer, as far as it has come. */
class Answer {
  #text = '';
  #untold = '';
  #writing: Writing = {
    tokens: 0,
    promptTokens: 0,
    loaded: 'nothing',
    secondsToLoad: 0,
    secondsToFirst: null,
    tokensPerSecond: null,
    ended: null,
    problem: null,
  };
  #changed = true;
  #tokens: AsyncGenerator<number, Generated> | null = null;
  #stream = new TextStream(() => Promise.resolve(''));
  readonly #words: StopWords;
  /** Seconds of this model's own work. */
  #seconds = 0;

  constructor(
    private readonly writer: Writer,
    private readonly sampling: Sampling,
  ) {
    this.#words = new StopWords(sampling.stop);
  }

  get ended(): boolean {
    return this.#writing.ended !== null;
  }

  get result(): AnswerText {
    return { ...this.#writing, text: this.#text };
  }

  /** What is new since the last call; null where nothing is. */
  take(speaker: number): Piece | null {
    if (!this.#changed) return null;
    const piece = { speaker, text: this.#untold, writing: this.#writing };
    this.#untold = '';
    this.#changed = false;
    return piece;
  }

  async open(cache: GeneratorCache, where: Pick<JobOf<'generate'>, 'device' | 'threads'>): Promise<void> {
    await this.#orProblem(async () => {
      const started = performance.now();
      const { writer, loaded } = await cache.get(this.writer, where);
      const { prompt, stops } = await this.#promptOf(writer);
      const { stop: _words, ...sampling } = this.sampling;
      this.#stream = new TextStream((ids) => writer.tokenizer.text(ids, true));
      this.#tokens = writer.generator.generate(prompt, {
        ...sampling,
        stopTokens: stops,
        stop: () => this.#words.found,
      });
      const secondsToLoad = (performance.now() - started) / 1000;
      this.#set({ loaded, secondsToLoad, promptTokens: prompt.length });
    });
  }

  async #promptOf({ tokenizer, template, stops }: OpenWriter): Promise<{ prompt: number[]; stops: readonly number[] }> {
    const { asked } = this.writer;
    if ('text' in asked) return { prompt: await tokenizer.ids(asked.text, true), stops };
    // Where one of the tokenizer's own tokens follows, the answer is at its end: "<|im_end|>", or the next speaker's beginning.
    const own = [...stops, ...tokenizer.specialIds];
    return { prompt: await tokenizer.ids(template.render(asked.messages, true), false), stops: own };
  }

  /** Writes one token more, or comes to the end. */
  async next(): Promise<void> {
    const tokens = this.#tokens;
    if (tokens === null) return;
    await this.#orProblem(async () => {
      const started = performance.now();
      const { done, value } = await tokens.next();
      const before = this.#seconds;
      this.#seconds += (performance.now() - started) / 1000;
      if (done) {
        await this.#finish(value.reason === 'aborted' ? 'stopped' : value.reason);
        return;
      }
      const count = this.#writing.tokens + 1;
      const secondsToFirst = this.#writing.secondsToFirst ?? this.#seconds - before;
      const later = this.#seconds - secondsToFirst;
      this.#set({
        tokens: count,
        secondsToFirst,
        tokensPerSecond: count > 1 && later > 0 ? (count - 1) / later : null,
      });
      this.#write(this.#words.push(await this.#stream.push(value)));
    });
  }

  /** Ends where it stands. */
  async stop(): Promise<void> {
    if (this.ended) return;
    await this.#tokens?.return({ reason: 'aborted', tokens: [] });
    await this.#finish('stopped');
  }

  async #finish(ended: NonNullable<Writing['ended']>): Promise<void> {
    this.#write(this.#words.push(await this.#stream.end()) + this.#words.end());
    this.#set({ ended: this.#words.found ? 'stop' : ended });
  }

  #write(text: string): void {
    this.#text += text;
    this.#untold += text;
  }

  #set(change: Partial<Writing>): void {
    this.#writing = { ...this.#writing, ...change };
    this.#changed = true;
  }

  async #orProblem(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const problem = toProblem(error);
      if (problem.code === 'cancelled') throw error;
      this.#set({ ended: 'problem', problem });
    }
  }
}

/** Sends what is new, not more often than can be read. */
class Teller {
  #toldAt = 0;

  constructor(
    private readonly answers: readonly Answer[],
    private readonly context: JobContext,
  ) {}

  async ifDue(): Promise<void> {
    if (performance.now() - this.#toldAt >= millisecondsBetween) await this.now();
  }

  async now(): Promise<void> {
    const pieces = this.answers.flatMap((answer, speaker) => answer.take(speaker) ?? []);
    this.#toldAt = performance.now();
    if (pieces.length > 0) await this.context.emit({ type: 'pieces', pieces });
  }
}
