/** kill -9 of the real process that learns to write, or that searches for a wording: it ends as if it had not been. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainingSchema, type Training } from '../../../electron/contract/plan.js';
import type { JobOf, TrainTask } from '../../../electron/trainer/protocol.js';
import { expectSameAfterKills } from '../../helpers/kills.js';
import { oracleFolder } from '../../helpers/oracle.js';
import { asJsonLines, tinyLabels, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

let folder: string;
const splits = { train: 48, validation: 10, test: 12 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kill-language-'));
  for (const [at, [split, count]] of Object.entries(splits).entries()) {
    const rows = tinyRows(count, at + 1);
    await writeFile(join(folder, `${split}.jsonl`), asJsonLines(rows));
    const asked = rows.map((row) => ({
      ...row,
      label: '',
      messages: [
        { role: 'user', content: row.text },
        { role: 'assistant', content: row.label },
      ],
    }));
    await writeFile(join(folder, `${split}-asked.jsonl`), asJsonLines(asked));
  }
});
afterAll(async () => {
  await removeBundles();
  await rm(folder, { recursive: true });
});

const jobOf =
  (
    name: string,
    model: string,
    suffix: string,
    { method, objective }: Pick<TrainTask, 'method' | 'objective'>,
    training: Partial<Training>,
  ) =>
  (end: string, resume: boolean): JobOf<'train'> => ({
    type: 'train',
    resume,
    runFolder: join(folder, `${name} ${end}`),
    task: {
      training: trainingSchema.parse({ batchSize: 8, checkpointEverySteps: 3, ...training }),
      method,
      modelFolder: join(oracleFolder, 'models', model),
      objective,
      device: 'cpu',
      threads: 1,
      initFolder: null,
      data: {
        train: join(folder, `train${suffix}.jsonl`),
        validation: join(folder, `validation${suffix}.jsonl`),
        test: join(folder, `test${suffix}.jsonl`),
      },
    },
  });

describe('a trainer killed with kill -9 again and again', () => {
  it.each([
    ['llama', { type: 'lora', rank: 4, alpha: 8, dropout: 0.1 }],
    ['qwen3', { type: 'full' }],
    ['gpt2', { type: 'prefix', numVirtualTokens: 4 }],
  ] as const)('%s learns to write by %j', { timeout: 120_000 }, async (model, method) => {
    const training = { maxSteps: 40, maxLength: 60, learningRate: 0.005, validateEverySteps: 10, exactMatchRows: 4 };
    const of = { method, objective: { type: 'causal-lm' } } as const;
    const { whole, killed } = await expectSameAfterKills(jobOf(model, model, '-asked', of, training), [0, 5, 22, 37]);
    expect(whole.losses.size).toBe(40);
    expect(Math.max(...killed.resumedAt)).toBeGreaterThan(20);
    expect(whole.losses.get(40)).toBeLessThan(whole.losses.get(1) ?? 0);
    expect([...whole.outcomes.values()].some(({ details }) => typeof details?.['answer'] === 'string')).toBe(true);
  });

  it.each(['bert', 'llama'])('%s is searched a wording for', { timeout: 120_000 }, async (model) => {
    const of: Parameters<typeof jobOf>[3] = {
      method: { type: 'prompt-search', initText: 'the weather', candidates: 4 },
      objective: {
        type: 'classification',
        labels: [...tinyLabels],
        verbalizer: {
          template: model === 'bert' ? '{prompt} {text} It was {mask}.' : '{prompt} {text}\nLabel: {mask}',
          words: { animal: 'the', food: 'a', tool: 'in' },
          score: 'mean',
        },
      },
    };
    const training = { maxSteps: 16, maxLength: 60, validateEverySteps: 4 };
    const { whole, killed } = await expectSameAfterKills(jobOf(`search ${model}`, model, '', of, training), [0, 4, 11]);
    expect(whole.losses.size).toBe(16);
    expect(Math.max(...killed.resumedAt)).toBeGreaterThan(5);
    expect([...whole.searches.keys()].sort((a, b) => a - b)).toEqual([0, 4, 8, 12, 16]);
    const wordings = [...whole.searches.values()].map((it) => (it as { wording: string }).wording);
    expect(new Set(wordings).size).toBeGreaterThan(1);
  });
});
