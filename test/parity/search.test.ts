/**
 * The search for a wording against plain PyTorch, from texts on: what is tried, its losses, what is chosen, at every step.
 * The fixtures type and tokenize each candidate anew (test/oracle/make_search.py).
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  classBatches,
  encodeRows,
  openTokenizer,
  openVerbalizer,
  TrainingBatches,
  wordingDoor,
} from '../../electron/data/index.js';
import {
  architectureOf,
  createPredictor,
  createTrainer,
  openModel,
  startWording,
  type Batch,
} from '../../electron/engine/index.js';
import { largestDifference, oracleFolder, oracleJson } from '../helpers/oracle.js';

const schema = z.object({
  model: z.string(),
  template: z.string(),
  words: z.record(z.string(), z.string()),
  initText: z.string(),
  options: z.object({ candidates: z.number(), positions: z.number() }),
  labels: z.array(z.string()),
  batches: z.array(z.object({ texts: z.array(z.string()), labels: z.array(z.number()) })),
  start: z.object({ tokens: z.array(z.number()), wording: z.string() }),
  steps: z.array(
    z.object({
      loss: z.number(),
      gradientNorm: z.number(),
      tried: z.array(z.object({ position: z.number(), token: z.number(), text: z.string(), loss: z.number() })),
      accepted: z.boolean(),
      tokens: z.array(z.number()),
      wording: z.string(),
    }),
  ),
});
const names = readdirSync(join(oracleFolder, 'search'))
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

async function open(name: string) {
  const fixture = oracleJson(schema, 'search', `${name}.json`);
  const { labels, template, words, options, initText } = fixture;
  const model = await openModel(join(oracleFolder, 'models', fixture.model));
  const tokenizer = await openTokenizer(model.folder, model);
  const decoder = architectureOf(model.architecture).reads === 'last';
  const rows = fixture.batches.flatMap(({ texts, labels: own }, b) =>
    texts.map((text, i) => ({ id: b * texts.length + i, text, pair: null, label: labels[own[i] ?? 0] ?? '' })),
  );
  const verbalizer = (wording: string, located: boolean) =>
    openVerbalizer(tokenizer, { template, words, score: 'mean' }, { labels, decoder, wording, located });
  const door = wordingDoor(tokenizer, await verbalizer('a', false), rows.slice(0, 4));
  const { candidates, positions: positionsPerStep } = options;
  const method = { type: 'prompt-search', initText, candidates, positionsPerStep };
  const wording = await startWording({ method, model, seed: 1, wording: door });
  /** The rows with a wording as text; `located`: as a search encodes them. */
  const batchesOf = async (text: string, located: boolean) => {
    const encoder = await verbalizer(text, located);
    const encoded = await encodeRows(rows, encoder, { labels, maxLength: 64 });
    const batches = new TrainingBatches(classBatches(encoded, { padId: tokenizer.padId, reading: encoder.reading }), {
      batchSize: fixture.batches[0]?.texts.length ?? 0,
      accumulationSteps: located ? 2 : 1,
      shuffle: false,
      seed: 1,
    });
    return { batches, objective: { type: 'classification', labels, verbalizer: encoder.spec } as const };
  };
  return { fixture, model, method, door, wording, batchesOf };
}

describe.each(names)('%s', (name) => {
  it('tries and chooses what PyTorch does, and its wording scores the same when typed in', async () => {
    const { fixture, model, method, door, wording, batchesOf } = await open(name);
    expect(wording).toBe(fixture.start.wording);
    const { batches, objective } = await batchesOf(wording, true);
    const trainer = await createTrainer({
      model,
      method,
      objective,
      wording: door,
      optimizer: { type: 'adamw', weightDecay: 0, gradientClip: null },
      modelDropout: null,
      seed: 1,
      device: 'cpu',
      threads: 1,
      steps: fixture.steps.length,
    });
    expect([trainer.trainableParameters, trainer.optimizerBytes]).toEqual([0, 0]);
    for (const [step, expected] of fixture.steps.entries()) {
      const { loss, gradientNorm, search } = await trainer.step(batches.batches(step), 0);
      const where = `step ${step + 1}`;
      expect(Math.abs(loss / expected.loss - 1), where).toBeLessThan(1e-5);
      expect(Math.abs(gradientNorm / expected.gradientNorm - 1), where).toBeLessThan(1e-4);
      expect(search?.tried.map(({ position }) => position)).toEqual(expected.tried.map(({ position }) => position));
      search?.tried.forEach((one, i) =>
        expect(Math.abs(one.loss / (expected.tried[i]?.loss ?? NaN) - 1), `${where}, ${one.word}`).toBeLessThan(1e-5),
      );
      expect(search?.accepted !== null, where).toBe(expected.accepted);
      expect([...(trainer.parameters().values().next().value?.data ?? [])], where).toEqual(expected.tokens);
      expect(search?.wording, where).toBe(expected.wording);
    }
    // Typed in as text, by a predictor that knows nothing of the search.
    const typed = await batchesOf(trainer.wording?.() ?? '', false);
    const predictor = await createPredictor({
      model,
      method,
      objective: typed.objective,
      parameters: new Map(),
      seed: 1,
      device: 'cpu',
      threads: 1,
    });
    for (let step = 0; step < 3; step++) {
      const live = await Promise.all(batches.batches(step).map((batch: Batch) => trainer.predict(batch)));
      const [own] = typed.batches.batches(step);
      expect(own?.wording).toBeUndefined();
      const scores = await predictor.predict(own as Batch);
      expect(largestDifference(scores, Float32Array.from(live.flatMap((some) => [...some])))).toBeLessThan(1e-5);
    }
    await predictor.dispose();
    await trainer.dispose();
  });
});
