/** Learning each token from those before it: held-out loss and perplexity, and the answers that greedy generation gives. */
import type { Message } from '../../contract/entities.js';
import {
  encodeLanguage,
  evaluationBatches,
  languageBatches,
  openChatTemplate,
  type LanguageRows,
  type LanguageTools,
  type TextTokenizer,
} from '../../data/index.js';
import { languageScores, type AnswerMatch, type RowLosses } from '../../evaluation/index.js';
import { readSplit } from '../dataset.js';
import { evaluationBatchSize } from '../evaluate.js';
import type { Between, Learning, LearningTask, Measured, TestTools } from '../learning.js';
import { sendOutcomes } from '../outcomes.js';

/** Tokens that an answer may be longer than the one it is compared with, so that one of other tokens can still be the same text. */
const moreTokens = 8;

/** @throws StudioError `bad-model` for a chat template that cannot be read */
export async function learnLanguage(task: LearningTask, tokenizer: TextTokenizer): Promise<Learning> {
  const { maxLength, completionOnlyLoss, packing } = task.training;
  const tools: LanguageTools = { tokenizer, template: await openChatTemplate(task.modelFolder, tokenizer) };
  return {
    objective: { type: 'causal-lm' },
    async encode(rows) {
      const encoded = await encodeLanguage(rows, tools, { maxLength, completionOnly: completionOnlyLoss });
      return {
        size: encoded.size,
        batches: languageBatches(encoded, tokenizer.padId, packing),
        notes: notesOn(encoded, maxLength, completionOnlyLoss),
        measure: async (model, between) =>
          languageScores(await lossesOf(model, encoded, tokenizer.padId, between), null),
        test: async (given) => {
          const asked = await answersAsked(task, given.file);
          const between: Between = (done) => given.between(done, { of: encoded.size, answersAhead: asked.answers });
          const losses = await lossesOf(given.trainer, encoded, tokenizer.padId, between);
          const matches = await answersOf(task, tools, given, asked);
          await sendOutcomes<'causal-lm'>(encoded.ids, given.emit, (row, id) => {
            const match = matches.get(id);
            return {
              outcome: { loss: losses.sums[row] ?? 0, tokens: losses.tokens[row] ?? 0, exact: match?.exact ?? null },
              details: match ? { answer: match.answer } : null,
            };
          });
          return languageScores(losses, matches.size === 0 ? null : [...matches.values()]);
        },
      };
    },
  };
}

function notesOn({ unlearnable, cut, size }: LanguageRows, maxLength: number, answersOnly: boolean): string[] {
  const rows = (count: number) => `${count.toLocaleString('en')} ${count === 1 ? 'row' : 'rows'}`;
  return [
    ...(cut > 0
      ? [
          `${rows(cut)} of ${(size + unlearnable).toLocaleString('en')} ${cut === 1 ? 'is' : 'are'} longer than ${maxLength} tokens and cut there.`,
        ]
      : []),
    ...(unlearnable > 0
      ? [
          `${rows(unlearnable)} left out: ${answersOnly ? 'no token of an answer lies' : 'there is no token to learn'} within ${maxLength} tokens.`,
        ]
      : []),
  ];
}

/** Loss and number of trained tokens of each row, in the split's order. */
async function lossesOf(model: Measured, rows: LanguageRows, padId: number, between: Between): Promise<RowLosses> {
  const sums = new Float64Array(rows.size);
  const tokens = Float64Array.from(sums, (_, row) => rows.trainedIn(row));
  let done = 0;
  for (const { batch, rows: places } of evaluationBatches(languageBatches(rows, padId, false), evaluationBatchSize)) {
    const { tokenLosses = new Float32Array() } = await model.evaluate(batch);
    let at = 0;
    for (const place of places) {
      const own = tokens[place] ?? 0;
      let sum = 0;
      for (let token = 0; token < own; token += 1) sum += tokenLosses[at + token] ?? Number.NaN;
      sums[place] = sum;
      at += own;
    }
    done += places.length;
    await between(done);
  }
  return { sums, tokens };
}

interface Asked {
  readonly conversations: number;
  /** Of these, so many are answered. */
  readonly answers: number;
}

async function answersAsked({ training: { exactMatchRows } }: LearningTask, file: string): Promise<Asked> {
  let conversations = 0;
  if (exactMatchRows > 0) for await (const { messages } of readSplit(file)) if (messages !== null) conversations += 1;
  return { conversations, answers: Math.min(exactMatchRows, conversations) };
}

/** The last answers of some rows of a split, spread evenly over it, as the trained model gives them by greedy generation; by the rows' ids. */
async function answersOf(
  task: LearningTask,
  { tokenizer, template }: LanguageTools,
  { engine, model, parameters, file, between }: TestTools,
  { conversations, answers }: Asked,
): Promise<Map<number, AnswerMatch>> {
  const matches = new Map<number, AnswerMatch>();
  if (answers === 0) return matches;
  const { maxLength } = task.training;
  const every = conversations / answers;
  const generator = await engine.createGenerator({
    model,
    method: task.method,
    parameters,
    seed: task.training.seed,
    device: task.device,
    ...(task.threads === null ? {} : { threads: task.threads }),
    tokenize: (text, special) => tokenizer.ids(text, special),
  });
  try {
    let place = 0;
    let considered = 0;
    for await (const { id, messages } of readSplit(file)) {
      if (messages === null) continue;
      const chosen = Math.floor(place / every) !== Math.floor((place - 1) / every);
      place += 1;
      if (!chosen || considered >= answers) continue;
      considered += 1;
      const asked = await questionOf(messages);
      // What leaves no room for its answer is not to be answered.
      if (asked.prompt.length + asked.length > maxLength) continue;
      const given = await answerTo(asked);
      matches.set(id, { answer: given, exact: normalized(given) === normalized(asked.answer) });
      await between(considered, { part: 'answers', of: answers });
    }
  } finally {
    await generator.dispose();
  }
  return matches;

  async function questionOf(messages: readonly Message[]) {
    const answer = messages.at(-1)?.content ?? '';
    const [prompt, length] = (await tokenizer.place([template.render(messages.slice(0, -1), true), answer])).map(
      ({ ids }) => ids,
    );
    return { answer, prompt: Array.from(prompt ?? []), length: length?.length ?? 0 };
  }

  async function answerTo({ prompt, length }: { prompt: number[]; length: number }): Promise<string> {
    const tokens: number[] = [];
    for await (const token of generator.generate(prompt, {
      maxNewTokens: length + moreTokens,
      stopTokens: tokenizer.specialIds,
    }))
      tokens.push(token);
    return tokenizer.text(tokens, true);
  }
}

const normalized = (text: string) => text.normalize('NFC').trim().replace(/\s+/g, ' ');
