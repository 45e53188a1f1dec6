import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { config } from '../../../electron/dev/make-starter/architecture.js';
import { cardText } from '../../../electron/dev/make-starter/card.js';
import { openTokenizer, specialTokens } from '../../../electron/data/index.js';
import { untrainedWeights } from '../../../electron/trainer/pretrain/architecture.js';
import { openWeights } from '../../../electron/engine/safetensors/index.js';

const folder = join('native-assets', 'starter-model');

it('has every tensor of its architecture as float16, under 12 MB', async () => {
  expect(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))).toEqual(config);
  const weights = await openWeights(folder);
  const expected = untrainedWeights(config, 1);
  expect([...weights.entries.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, tensor] of expected)
    expect(weights.entries.get(name)).toMatchObject({ dtype: 'F16', shape: tensor.shape });
  expect((await stat(join(folder, 'model.safetensors'))).size).toBeLessThan(12_000_000);
  const words = await weights.read('bert.embeddings.word_embeddings.weight');
  expect(words.data.every(Number.isFinite)).toBe(true);
});

it('starts as BERT does: weights of deviation 0.02, the same for a seed', () => {
  const { data } = untrainedWeights(config, 1).get('bert.encoder.layer.0.intermediate.dense.weight')!;
  const deviation = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
  expect(deviation).toBeCloseTo(0.02, 3);
  expect(untrainedWeights(config, 1).get('cls.predictions.transform.dense.weight')).toEqual(
    untrainedWeights(config, 1).get('cls.predictions.transform.dense.weight'),
  );
  expect(untrainedWeights(config, 2).get('bert.embeddings.word_embeddings.weight')).not.toEqual(
    untrainedWeights(config, 1).get('bert.embeddings.word_embeddings.weight'),
  );
});

it('has a tokenizer of 8,000 tokens that knows common words and loses no letters', async () => {
  const vocabulary = (await readFile(join(folder, 'vocab.txt'), 'utf8')).trimEnd().split('\n');
  expect(vocabulary).toHaveLength(config.vocab_size);
  expect(new Set(vocabulary).size).toBe(config.vocab_size);
  expect(vocabulary.slice(0, specialTokens.length)).toEqual(specialTokens);
  const tokenizer = await openTokenizer(folder, { vocabularySize: config.vocab_size });
  const [encoded, strange] = await tokenizer.encode(
    [
      { text: 'The Government of the United States, a whale!', pair: null },
      { text: 'zyxqj 0123456789', pair: null },
    ],
    64,
  );
  expect([...encoded!.ids].map((id) => vocabulary[id])).toEqual([
    '[CLS]',
    'the',
    'government',
    'of',
    'the',
    'united',
    'states',
    ',',
    'a',
    'whale',
    '!',
    '[SEP]',
  ]);
  expect(
    [...strange!.ids]
      .map((id) => vocabulary[id]!.replace('##', ''))
      .slice(1, -1)
      .join(''),
  ).toBe('zyxqj0123456789');
});

it('states in its card what the run measured', () => {
  const text = cardText(
    {
      state: {
        step: 1234,
        tokens: 2_527_232,
        seconds: 900,
        seed: 5,
        epoch: 0,
        token: 0,
        heldOut: [
          { step: 500, loss: 6.1 },
          { step: 1234, loss: 5.2 },
        ],
      },
      corpus: [{ name: 'Some book', license: 'public domain', repeat: 2, train: 1_000_000, heldOut: 20_000 }],
      recipe: { learningRate: 0.001, warmup: 0.04, weightDecay: 0.01, gradientClip: 1, tokensPerStep: 2048 },
      stages: [{ from: 0, length: 64 }],
      heldOutLoss: 5.25,
      parameters: 5_400_000,
    },
    '2026-11-24',
  );
  for (const fact of [
    '1,234 steps',
    '2,527,232 tokens',
    '15 minutes',
    '5.250 (perplexity 191)',
    '| Some book | public domain | 1,000,000 | 20,000 | 2 |',
    '6.100 after 500 steps',
    '1.26 passes',
    'seed 5',
    '2026-11-24',
  ])
    expect(text).toContain(fact);
});
