/** `generate`: a run, or its base, goes on from a prompt; the text streams. */
import { z } from 'zod';
import { answerTextSchema, samplingSchema, type AnswerText, type Asked, type Sampling } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import type { Arguments, Command } from './command.js';
import { whole } from './output.js';
import { finishJob, type Session } from './session.js';

export const generate: Command = {
  name: 'generate',
  arguments: 'RUN',
  positionals: [1, 1],
  about: 'Lets a finished run of a language model answer a prompt; the text streams.',
  options: {
    prompt: { value: 'TEXT', about: 'What is asked', required: true },
    base: { about: "Lets the run's base answer, as it was before training" },
    system: { value: 'TEXT', about: 'System text before the prompt' },
    'max-new-tokens': { value: 'COUNT', about: 'Tokens that the answer may have; default 256' },
    temperature: {
      value: 'NUMBER',
      about: '0, the default, takes the likeliest token each time; above, tokens are drawn',
    },
    'top-k': { value: 'COUNT', about: 'Draws among this many likeliest tokens; default all' },
    'top-p': { value: 'SHARE', about: 'Draws among the likeliest tokens of this total probability; default all' },
    'repetition-penalty': { value: 'NUMBER', about: 'Above 1, tokens that were there already become less likely' },
    stop: { value: 'TEXT', about: 'Ends the answer where this text would come; \\n for a line break' },
    seed: { value: 'NUMBER', about: 'Of the draws; default 1' },
  },
  details: () => [
    'A run on prompts or conversations is asked by its chat template, one on plain text goes on from the text.',
    'With --json: {"event":"token","text":…,"tokens":…} as it comes, then {"event":"generation","text":…,"reason":…,"tokensPerSecond":…}.',
    'Ctrl-C ends the answer where it stands.',
  ],
  async run(input, session) {
    const { handlers, out } = session;
    const runId = input.id(0);
    const speaker = { runId, trained: !input.has('base'), asked: await askedOf(input, session, runId) };
    const request = { speakers: [speaker], sampling: samplingOf(input) };
    const { result } = await finishJob(
      session,
      () => handlers['chat.generate'](request),
      (event, jobId) => {
        if (event.event !== 'pieces' || event.data.jobId !== jobId) return;
        for (const { text, writing } of event.data.pieces)
          if (text !== '') out.piece({ event: 'token', text, tokens: writing.tokens }, text);
      },
    );
    const [answer] = z.array(answerTextSchema).parse(result);
    if (answer) tellAnswer(session, answer);
    return 0;
  },
};

async function askedOf(input: Arguments, { handlers }: Session, runId: number): Promise<Asked> {
  const [prompt, system] = [input.required('prompt'), input.text('system')];
  if (prompt.trim() === '')
    throw new StudioError('bad-input', '--prompt is empty.', 'Give a text.', { option: 'prompt' });
  const { datasetId } = await handlers['runs.get']({ id: runId });
  const { form } = await handlers['datasets.get']({ id: datasetId });
  if (form !== 'text') {
    const asked = { role: 'user', content: prompt } as const;
    return { messages: system === null ? [asked] : [{ role: 'system', content: system }, asked] };
  }
  if (system === null) return { text: prompt };
  throw new StudioError(
    'bad-input',
    `--system: run ${runId} was trained on plain text, which has no system text.`,
    'Write it into --prompt.',
    { option: 'system' },
  );
}

function samplingOf(input: Arguments): Sampling {
  const stop = input.text('stop')?.replaceAll('\\n', '\n');
  const given = {
    maxNewTokens: input.number('max-new-tokens', 1, 8192, true),
    temperature: input.number('temperature', 0, 100),
    topK: input.number('top-k', 1, 1_000_000, true),
    topP: input.number('top-p', 0.000001, 1),
    repetitionPenalty: input.number('repetition-penalty', 0.01, 100),
    seed: input.number('seed', 0, 4_294_967_295, true),
    stop: stop === undefined ? null : [stop],
  };
  return samplingSchema.parse(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)));
}

function tellAnswer({ out }: Session, { ended, problem, ...answer }: AnswerText): void {
  if (problem !== null) throw StudioError.fromProblem(problem);
  out.event({ event: 'generation', reason: ended, ...answer }, '');
  const reasons = { stop: 'ended by itself', length: 'cut off at its longest', stopped: 'stopped', problem: '' };
  const speed = answer.tokensPerSecond === null ? '' : `, ${answer.tokensPerSecond.toFixed(1)} tokens a second`;
  if (!out.json) out.note(`${whole(answer.tokens)} tokens${speed}, ${reasons[ended ?? 'stop']}`);
}
