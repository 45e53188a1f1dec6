/** Learning by a search for a wording: rows are encoded with the wording that it starts from, whose tokens each row locates. */
import { openVerbalizer, wordingDoor, type TextOrPair, type TextTokenizer } from '../../data/index.js';
import { isDecoder, startWording, type BaseModelInfo } from '../../engine/index.js';
import { StudioError } from '../../contract/errors.js';
import { learnClasses, learnRead } from './classification.js';
import { readSplit } from '../dataset.js';
import type { Learning, LearningTask } from '../learning.js';
import { classReading, type LearnedClasses } from '../reading.js';

/** Rows of the data that a wording must stand in front of with the same tokens. */
const probeRows = 4;

/** @throws StudioError or EngineError `bad-input` where the start cannot be typed or told from the text beside it */
export async function learnWording(
  read: LearnedClasses,
  { method, training, data }: LearningTask,
  tokenizer: TextTokenizer,
  model: BaseModelInfo,
): Promise<Learning> {
  const { labels, verbalizer } = read;
  if (!verbalizer)
    throw new StudioError('bad-input', 'verbalizer: prompt wording needs one.', 'Give {} for the default.', {
      path: 'verbalizer',
    });
  const probes: TextOrPair[] = [];
  for await (const row of readSplit(data.train)) {
    probes.push({ text: row.text.slice(0, 200), pair: row.pair?.slice(0, 200) ?? null });
    if (probes.length >= probeRows) break;
  }
  const plain = await openVerbalizer(tokenizer, verbalizer, { labels, decoder: isDecoder(model), wording: 'a' });
  const door = wordingDoor(tokenizer, plain, probes);
  const start = await startWording({ method, model, seed: training.seed, wording: door });
  const located = await classReading({ labels, verbalizer, wording: start }, tokenizer, model, true);
  return {
    ...learnRead(located, training, tokenizer),
    door,
    typed: (wording) => learnClasses({ labels, verbalizer, wording }, training, tokenizer, model),
  };
}
