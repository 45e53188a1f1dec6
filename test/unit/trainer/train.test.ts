import { mkdtemp, readdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { trainingSchema, type Training } from '../../../electron/contract/plan.js';
import type { StagePlan } from '../../../electron/engine/index.js';
import { scoresFromLogits } from '../../../electron/evaluation/index.js';
import { readHashed } from '../../../electron/trainer/checkpoint.js';
import type { JobOf, TrainerEvent } from '../../../electron/trainer/protocol.js';
import { classRows } from '../../helpers/outcomes.js';
import { train } from '../../../electron/trainer/train.js';
import { asJsonLines, makeTinyModel, tinyLabels, tinyRows, tinyVocabulary } from '../../helpers/tiny-model.js';
import { contextOf, ToyEngine } from './toy-engine.js';
import { classScores } from '../../helpers/scores.js';

let folder: string;
let modelFolder: string;
const split = (name: string) => join(folder, `${name}.jsonl`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'train-'));
  modelFolder = await makeTinyModel(join(folder, 'model'));
  await writeFile(split('train'), asJsonLines(tinyRows(90, 1)));
  await writeFile(split('validation'), asJsonLines(tinyRows(30, 2)));
  await writeFile(split('test'), asJsonLines(tinyRows(40, 3).map((row) => ({ ...row, id: row.id + 1000 }))));
  await writeFile(split('empty'), '');
});

async function run(
  runFolder: string,
  training: Partial<Training> = {},
  options: {
    resume?: boolean;
    data?: Partial<JobOf<'train'>['task']['data']>;
    pauseWhen?: (event: TrainerEvent) => boolean;
    cancelWhen?: (event: TrainerEvent) => boolean;
    stages?: StagePlan;
  } = {},
) {
  const context = contextOf(options);
  const { events } = context;
  const engine = new ToyEngine();
  engine.stages = options.stages ?? null;
  const job: JobOf<'train'> = {
    type: 'train',
    runFolder: join(folder, runFolder),
    resume: options.resume ?? false,
    task: {
      training: trainingSchema.parse({ epochs: 4, batchSize: 8, learningRate: 0.3, maxLength: 32, ...training }),
      method: { type: 'head' },
      modelFolder,
      objective: { type: 'classification', labels: [...tinyLabels] },
      device: 'cpu',
      threads: null,
      initFolder: null,
      data: { train: split('train'), validation: split('validation'), test: split('test'), ...options.data },
    },
  };
  const outcome = await train(job, context, engine, 12345);
  const predictions = events.flatMap(classRows);
  const steps = events.flatMap((event) => (event.type === 'metrics' ? event.steps : []));
  const log = events.flatMap((event) => (event.type === 'metrics' ? event.log : []));
  return {
    outcome,
    events,
    predictions,
    steps,
    log,
    losses: new Map(steps.map((step) => [step.step, step.loss])),
    engine,
  };
}

describe('train', () => {
  it('learns, stores the best parameters, and tests once with them', async () => {
    const { outcome, predictions, events, engine } = await run('whole');
    expect(outcome).toMatchObject({ status: 'finished', step: 48, baselineMemoryBytes: 12345 });
    const result = outcome.result!;
    expect(classScores(result.test).accuracy).toBeGreaterThan(0.8);
    expect(predictions.map((row) => row.id)).toEqual(Array.from({ length: 40 }, (_, index) => 1000 + index));
    // The scores are those of the predictions sent, and these come from the parameters stored.
    const again = scoresFromLogits(
      predictions.flatMap((row) => row.probabilities.map(Math.log)),
      predictions.map((row) => row.label),
      tinyLabels.length,
    );
    expect(classScores(result.test).macroF1).toBeCloseTo(again.macroF1, 12);
    expect(result.test!.loss).toBeCloseTo(again.loss, 6);
    for (const row of predictions) expect(row.probabilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
    const { tensors, metadata } = await readHashed(join(folder, 'whole', 'trained.safetensors'));
    expect(metadata).toMatchObject({ step: String(result.bestStep), labels: JSON.stringify(tinyLabels) });
    expect(tensors.get('weight')!.data).toEqual(engine.built[0]!.parameters().get('weight')!.data);
    expect(result.checkpointBytes).toBe((await stat(join(folder, 'whole', 'trained.safetensors'))).size);
    const validations = events.flatMap((event) => (event.type === 'metrics' ? event.validations : []));
    expect(validations.map((validation) => validation.step)).toEqual([12, 24, 36, 48]);
    expect(result.validation).toMatchObject({
      macroF1: Math.max(...validations.map((validation) => classScores(validation).macroF1)),
    });
    expect(result).toMatchObject({ steps: 48, trainableParameters: tinyVocabulary().length * 3, stoppedEarly: false });
    expect(result.peakMemoryBytes).toBeGreaterThan(10e6);
    expect(result.tokensPerSecond).toBeGreaterThan(0);
  });

  it('pauses, resumes in a new trainer, and ends with the same losses and scores', async () => {
    const whole = await run('a', {}, {});
    const first = await run(
      'b',
      {},
      { pauseWhen: (event) => event.type === 'metrics' && event.steps.some((step) => step.step >= 17) },
    );
    expect(first.outcome).toMatchObject({ status: 'paused', result: null });
    expect(first.outcome.step).toBeGreaterThanOrEqual(17);
    const second = await run('b', {}, { resume: true });
    expect(second.events.find((event) => event.type === 'started')).toMatchObject({
      resumed: true,
      step: first.outcome.step,
    });
    expect(new Map([...first.losses, ...second.losses])).toEqual(whole.losses);
    expect(second.outcome.result!.test).toEqual(whole.outcome.result!.test);
    expect(second.predictions).toEqual(whole.predictions);
  });

  it('paused while it reads the test, it reads the test anew when resumed', async () => {
    const first = await run(
      'intest',
      {},
      { pauseWhen: (event) => event.type === 'phase' && event.phase === 'testing' },
    );
    expect(first.outcome).toMatchObject({ status: 'paused', step: 48 });
    expect(first.predictions).toEqual([]);
    expect(await readdir(join(folder, 'intest'))).toEqual(['checkpoints']);
    const second = await run('intest', {}, { resume: true });
    expect(second.outcome.status).toBe('finished');
    expect(second.predictions).toHaveLength(40);
  });

  /** The second stage climbs instead of descending: it cannot help. */
  const unlearning = (whenWorse: StagePlan['whenWorse']): StagePlan => ({
    whenWorse,
    stages: [1, -1, 0.1].map((rate, at) => ({ trains: `part ${at + 1}`, epochs: null, rate, cost: 1 })),
  });

  it('in stages: keeps the best of all, whichever stage it is of, and counts the largest', async () => {
    const { outcome, predictions, events, engine, log } = await run('stages', {}, { stages: unlearning('continue') });
    const result = outcome.result!;
    expect(engine.built.length).toBeGreaterThanOrEqual(3);
    expect(result).toMatchObject({ steps: 48, stoppedEarly: false, trainableParameters: tinyVocabulary().length * 3 });
    expect(result.bestStep).toBeLessThanOrEqual(16);
    expect(result.secondsPerStep).toBeGreaterThan(0);
    const { tensors } = await readHashed(join(folder, 'stages', 'trained.safetensors'));
    expect(tensors.get('weight')!.data).toEqual(engine.built.at(-1)!.parameters().get('weight')!.data);
    const again = scoresFromLogits(
      predictions.flatMap((row) => row.probabilities.map(Math.log)),
      predictions.map((row) => row.label),
      tinyLabels.length,
    );
    expect(classScores(result.test).macroF1).toBeCloseTo(again.macroF1, 12);
    const told = events.flatMap((event) => (event.type === 'metrics' ? event.stages : []));
    expect(told.filter(({ next }) => next !== null)).toMatchObject([
      { stage: 1, stages: 3, firstStep: 1, lastStep: 16, helped: true, next: 'next' },
      { stage: 2, firstStep: 17, lastStep: 32, helped: false, next: 'next' },
      { stage: 3, firstStep: 33, lastStep: 48, next: 'end' },
    ]);
    expect(log.map(({ message }) => message).join('\n')).toMatch(
      /Stage 2 of 3, steps 17 to 32: part 2; .*\n(.*\n)*Stage 2 of 3 ended after step 32: macro F1 .* No validation of it was the best so far\./,
    );
  });

  it('in stages: paused in the second, resumed, it ends as one that was not', async () => {
    const whole = await run('stages whole', {}, { stages: unlearning('back') });
    const first = await run(
      'stages paused',
      {},
      {
        stages: unlearning('back'),
        pauseWhen: (event) => event.type === 'metrics' && event.steps.some((step) => step.step >= 20),
      },
    );
    expect(first.outcome).toMatchObject({ status: 'paused' });
    expect(first.outcome.step).toBeLessThan(32);
    const second = await run('stages paused', {}, { resume: true, stages: unlearning('back') });
    expect(new Map([...first.losses, ...second.losses])).toEqual(whole.losses);
    expect(second.predictions).toEqual(whole.predictions);
    const ends = ({ events }: typeof whole) =>
      new Map(
        events
          .flatMap((event) => (event.type === 'metrics' ? event.stages : []))
          .filter(({ next }) => next !== null)
          .map(({ stage, helped, next, scores }) => [stage, { helped, next, scores }]),
      );
    expect(ends(second)).toEqual(ends(whole));
    expect(ends(whole).get(2)).toMatchObject({ helped: false, next: 'back' });
  });

  it('in stages: stops after one that did not help', async () => {
    const { outcome } = await run('stages stop', {}, { stages: unlearning('stop') });
    expect(outcome.result).toMatchObject({ steps: 32, stoppedEarly: true });
    expect(outcome.result!.bestStep).toBeLessThanOrEqual(16);
  });

  it('a cancel ends it', async () => {
    await expect(
      run('cancel', {}, { cancelWhen: (event) => event.type === 'metrics' && event.steps.length > 0 }),
    ).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('without resume it starts anew, whatever checkpoints lie there', async () => {
    await run('anew', { maxSteps: 3 });
    const { events } = await run('anew', { maxSteps: 5 });
    expect(events.find((event) => event.type === 'started')).toMatchObject({ resumed: false, step: 0, totalSteps: 5 });
  });

  it('refuses to go on with a checkpoint of another plan', async () => {
    await run('other', { maxSteps: 3 });
    for (const change of [{ learningRate: 0.1 }, { loadIn8bit: true }])
      await expect(run('other', { maxSteps: 3, ...change }, { resume: true })).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('another plan'),
      });
    // What keeps the result may be chosen anew.
    await run('other', { maxSteps: 3, gradientCheckpointing: true, packWeights: false }, { resume: true });
  });

  it('trains without validation and test rows: the last parameters are the best', async () => {
    const { outcome, predictions } = await run(
      'bare',
      { maxSteps: 5 },
      { data: { validation: null, test: split('empty') } },
    );
    expect(outcome.result).toMatchObject({ test: null, validation: null, bestStep: 5 });
    expect(predictions).toEqual([]);
  });

  it('with no steps it stores and tests the start', async () => {
    const { outcome, predictions, steps } = await run('none', { maxSteps: 0 });
    expect(outcome).toMatchObject({ status: 'finished', step: 0, result: { steps: 0, bestStep: 0 } });
    expect(steps).toEqual([]);
    expect(predictions).toHaveLength(40);
  });

  it('says what is wrong with lengths, labels and rows', async () => {
    await expect(run('bad', { maxLength: 65 })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('at most 64'),
      context: { field: 'training.maxLength' },
    });
    await expect(run('bad', {}, { data: { train: split('empty') } })).rejects.toMatchObject({ code: 'bad-data' });
    await writeFile(split('alien'), asJsonLines([{ id: 1, text: 'x', pair: null, label: 'alien' }]));
    await expect(run('bad', {}, { data: { train: split('alien') } })).rejects.toMatchObject({
      code: 'bad-data',
      message: expect.stringContaining('"alien"'),
    });
    await writeFile(split('broken'), '{"id":1,"text":"x","label":"tool"}\n{"id":2,');
    await expect(run('bad', {}, { data: { train: split('broken') } })).rejects.toMatchObject({
      message: expect.stringContaining('line 2'),
    });
  });
});
