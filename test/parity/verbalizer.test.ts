/**
 * Classification by words of a prompt against PyTorch, from texts on: tokens, scores, and the losses of twenty LoRA steps.
 * The fixtures score each label by a forward pass of its own (test/oracle/make_verbalizer.py).
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { classBatches, encodeRows, openTokenizer, openVerbalizer, TrainingBatches } from '../../electron/data/index.js';
import { architectureOf, createPredictor, createTrainer, openModel } from '../../electron/engine/index.js';
import { below, largestDifference, oracleFolder, oracleJson, oracleTensors } from '../helpers/oracle.js';

const schema = z.object({
  model: z.string(),
  template: z.string(),
  words: z.record(z.string(), z.string()),
  score: z.enum(['mean', 'sum']),
  wordTokens: z.array(z.array(z.number())),
  method: z.looseObject({ type: z.string() }),
  labels: z.array(z.string()),
  batches: z.array(z.object({ texts: z.array(z.string()), labels: z.array(z.number()) })),
  scores: z.array(z.number()),
  losses: z.array(z.number()),
  learningRates: z.array(z.number()),
  gradientNorms: z.array(z.number()),
});
const names = readdirSync(join(oracleFolder, 'verbalizer'))
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

async function open(name: string) {
  const fixture = oracleJson(schema, 'verbalizer', `${name}.json`);
  const { labels, template, words, score } = fixture;
  const model = await openModel(join(oracleFolder, 'models', fixture.model));
  const tokenizer = await openTokenizer(model.folder, model);
  const decoder = architectureOf(model.architecture).reads === 'last';
  const verbalizer = await openVerbalizer(tokenizer, { template, words, score }, { labels, decoder });
  const rows = fixture.batches.flatMap(({ texts, labels: own }, b) =>
    texts.map((text, i) => ({ id: b * texts.length + i, text, pair: null, label: labels[own[i] ?? 0] ?? '' })),
  );
  const encoded = await encodeRows(rows, verbalizer, { labels, maxLength: 60 });
  const padding = { padId: tokenizer.padId, reading: verbalizer.reading };
  const batches = new TrainingBatches(classBatches(encoded, padding), {
    batchSize: fixture.batches[0]?.texts.length ?? 0,
    accumulationSteps: 1,
    shuffle: false,
    seed: 1,
  });
  const objective = { type: 'classification', labels, verbalizer: verbalizer.spec } as const;
  return { fixture, model, batches, objective, verbalizer };
}

describe.each(names)('%s', (name) => {
  it('has the tokens and scores of the formula', async () => {
    const { fixture, model, batches, objective, verbalizer } = await open(name);
    expect(verbalizer.spec.words.map((word) => word.map(({ token }) => token))).toEqual(fixture.wordTokens);
    const predictor = await createPredictor({
      model,
      method: { type: 'head' },
      objective,
      parameters: new Map(),
      seed: 1,
      device: 'cpu',
      threads: 1,
    });
    for (const batch of batches.batches(0)) {
      const scores = await predictor.predict(batch);
      expect(largestDifference(scores, fixture.scores)).toBeLessThan(1e-4);
    }
    await predictor.dispose();
  });

  it('has the losses, gradient norms and final values of twenty LoRA steps', async () => {
    const { fixture, model, batches, objective } = await open(name);
    const tensors = oracleTensors('verbalizer', `${name}.safetensors`);
    const renamed = (prefix: string) =>
      new Map([...below(tensors, prefix)].map(([key, value]) => [key.replace(/^base_model\.(model\.)?/, ''), value]));
    const trainer = await createTrainer({
      model,
      method: fixture.method,
      objective,
      optimizer: { type: 'adamw', weightDecay: 0.01, gradientClip: 1 },
      modelDropout: 0,
      seed: 1,
      device: 'cpu',
      threads: 1,
      steps: 20,
      initial: renamed('initial.'),
    });
    for (let step = 0; step < 20; step++) {
      const { loss, gradientNorm } = await trainer.step(batches.batches(step), fixture.learningRates[step] ?? NaN);
      expect(Math.abs(loss / (fixture.losses[step] ?? NaN) - 1), `loss of step ${step + 1}`).toBeLessThan(1e-4);
      expect(Math.abs(gradientNorm / (fixture.gradientNorms[step] ?? NaN) - 1), `norm ${step + 1}`).toBeLessThan(1e-3);
    }
    const parameters = trainer.parameters();
    // Nothing but the adapter: there is no head.
    expect([...parameters.keys()].sort()).toEqual([...renamed('final.').keys()].sort());
    for (const [key, { data }] of renamed('final.'))
      expect(largestDifference(parameters.get(key)?.data ?? [], data), key).toBeLessThan(2e-3);
    await trainer.dispose();
  });
});
