/** The tables of runs and what they told, against a real file. */
import { describe, expect, it } from 'vitest';
import { type Run } from '../../../electron/contract/entities.js';
import { metrics, runs } from '../../../electron/storage/index.js';
import { database, time, worker, plan, world } from './world.js';

describe('runs', () => {
  it('come back as they were planned and change by name', async () => {
    const { runId, projectId, modelId, datasetId } = await world();
    expect(await runs.getRun(database, runId)).toMatchObject({
      projectId,
      modelId,
      datasetId,
      modelName: 'tiny',
      datasetName: 'rows',
      seed: 3,
      plan,
      state: 'queued',
      step: 0,
      result: null,
    });
    expect(await runs.initFolderOf(database, runId)).toBe('/start');
    const scores = { accuracy: 0.5, macroF1: 0.4, loss: 1 };
    await runs.updateRun(database, runId, { state: 'running', step: 12, device: 'cpu', validation: scores });
    await runs.updateRun(database, runId, {
      problem: { code: 'diverged', message: 'm', hint: null, context: { step: 12 } },
    });
    expect(await runs.getRun(database, runId)).toMatchObject({
      state: 'running',
      step: 12,
      device: 'cpu',
      validation: scores,
      problem: { code: 'diverged', context: { step: 12 } },
    });
    await runs.updateRun(database, runId, { validation: null });
    expect((await runs.getRun(database, runId)).validation).toBeNull();
  });

  it('are checked again only where their row has changed', async () => {
    const { runId, projectId } = await world();
    const first = await runs.getRun(database, runId);
    expect((await runs.listRuns(database, projectId))[0]).toBe(first);
    await runs.updateRun(database, runId, { step: 3 });
    expect(await runs.getRun(database, runId)).toEqual({ ...first, step: 3 });
    await database.run("UPDATE base_models SET name = 'renamed'");
    expect(await runs.listRuns(database, null)).toEqual([{ ...first, step: 3, modelName: 'renamed' }]);
    await database.run("UPDATE runs SET plan = '{}'");
    await expect(runs.getRun(database, runId)).rejects.toThrow(/Invalid/);
  });

  it('that were under way when their process ended are interrupted, others are left', async () => {
    const { projectId, modelId, datasetId } = await world();
    const add = async (state: Run['state'], worker: string | null) => {
      const id = await runs.insertRun(database, {
        projectId,
        modelId,
        datasetId,
        plan,
        initFolder: null,
        methodName: '',
        setting: '',
        createdAt: time,
        worker,
      });
      await runs.updateRun(database, id, { state });
      return id;
    };
    const states: readonly Run['state'][] = ['running', 'preparing', 'queued', 'paused', 'finished', 'failed'];
    const left: number[] = [];
    for (const state of states) left.push(await add(state, 'ended'));
    const others = [await add('running', worker), await add('running', null)];
    const stateOf = async (id: number) => (await runs.getRun(database, id)).state;

    expect(await runs.queuedOf(database, 'ended')).toEqual([left[2]]);
    expect(await runs.markInterrupted(database, 'ended')).toEqual(left.slice(0, 2));
    expect(await Promise.all(left.map(stateOf))).toEqual([
      'interrupted',
      'interrupted',
      'queued',
      'paused',
      'finished',
      'failed',
    ]);
    expect(await Promise.all(others.map(stateOf))).toEqual(['running', 'running']);
    // One of a version that noted no process.
    expect(await runs.markInterrupted(database, null)).toEqual([others[1]]);
    expect((await runs.workers(database)).sort()).toEqual(['ended', worker]);
  });

  it('are taken by one process only', async () => {
    const { runId } = await world();
    expect(await runs.assignQueued(database, runId, 'one')).toBe(true);
    expect(await runs.workerOf(database, runId)).toBe('one');
    expect(await Promise.all(['one', 'two'].map((id) => runs.claimQueued(database, runId, id)))).toEqual([true, false]);
    expect(await runs.workerOf(database, runId)).toBe('one');
    expect(await runs.assignQueued(database, runId, 'two')).toBe(false);
  });
});

describe('metrics', () => {
  const step = (n: number, loss: number | null = 1 / n) => ({
    step: n,
    loss,
    learningRate: 0.1,
    gradientNorm: null,
    tokensPerSecond: 10,
    memoryBytes: 20,
    seconds: n,
  });

  it('told again by a resumed run stand once', async () => {
    const { runId } = await world();
    const validation = { step: 2, accuracy: 0.5, macroF1: 0.4, loss: 1, best: true };
    const line = { time, level: 'note' as const, message: 'hello' };
    await metrics.insertMetrics(database, runId, [step(1), step(2), step(3)], [validation], [line]);
    await metrics.insertMetrics(database, runId, [step(2), step(3), step(4, null)], [validation], []);
    const history = await metrics.readHistory(database, runId, 0);
    expect(history).toEqual({
      steps: [step(1), step(2), step(3), step(4, null)],
      validations: [validation],
      stages: [],
      log: [line],
    });
    expect((await metrics.readHistory(database, runId, 2)).steps.map((one) => one.step)).toEqual([3, 4]);
  });

  it('hold each stage once, as it was told last', async () => {
    const { runId } = await world();
    const stage = (number: number, ended: boolean) => ({
      stage: number,
      stages: 2,
      trains: 'embeddings, block 2 of 2, head',
      firstStep: 10 * number - 9,
      lastStep: 10 * number,
      learningRate: 0.1,
      trainableParameters: 5,
      optimizerBytes: 40,
      secondsPerStep: ended ? 0.5 : null,
      scores: ended ? { accuracy: 0.5, macroF1: 0.4, loss: 1 } : null,
      helped: ended ? true : null,
      next: ended ? ('next' as const) : null,
    });
    await metrics.insertMetrics(database, runId, [], [], [], [stage(1, false)]);
    await metrics.insertMetrics(database, runId, [], [], [], [stage(2, false), stage(1, true)]);
    expect((await metrics.readHistory(database, runId, 0)).stages).toEqual([stage(1, true), stage(2, false)]);
    await metrics.clearMetrics(database, runId);
    expect((await metrics.readHistory(database, runId, 0)).stages).toEqual([]);
  });

  it('hold the validation of a run without steps', async () => {
    const { runId } = await world();
    const validation = { step: 0, accuracy: 0.5, macroF1: 0.4, loss: 1, best: true };
    await metrics.insertMetrics(database, runId, [], [validation], []);
    expect((await metrics.readHistory(database, runId, 0)).validations).toEqual([validation]);
    expect((await metrics.readHistory(database, runId, 1)).validations).toEqual([]);
  });

  it('takes more steps at once than a statement holds', async () => {
    const { runId } = await world();
    await metrics.insertMetrics(
      database,
      runId,
      Array.from({ length: 5000 }, (_, i) => step(i + 1)),
      [],
      [],
    );
    expect((await metrics.readHistory(database, runId, 0)).steps).toHaveLength(5000);
  });

  it('are read as a chart shows them: neighbours as one, the last of all among them', async () => {
    const { runId } = await world();
    const steps = Array.from({ length: 1003 }, (_, i) => ({
      ...step(i + 1, i % 2 === 0 ? 1 : 3),
      learningRate: i + 1,
      memoryBytes: i % 7,
    }));
    const check = (at: number, best: boolean) => ({ step: at, accuracy: 0.5, macroF1: 0.4, loss: 1, best });
    const validations = Array.from({ length: 250 }, (_, i) => check(4 * (i + 1), i < 77));
    await metrics.insertMetrics(database, runId, steps, validations, []);
    const thin = await metrics.readHistory(database, runId, 0, 100);
    // Eleven steps together, the last record of two.
    expect(thin.steps).toHaveLength(92);
    expect(thin.steps[0]).toMatchObject({ step: 11, loss: 1 + (2 * 5) / 11, learningRate: 11, memoryBytes: 6 });
    expect(thin.steps.at(-1)).toMatchObject({ step: 1003, learningRate: 1003, loss: 2 });
    expect(thin.validations.length).toBeLessThanOrEqual(101);
    expect(thin.validations.at(-1)?.step).toBe(1000);
    expect(thin.validations.findLast(({ best }) => best)?.step).toBe(4 * 77);
    expect(thin.validations.map((one) => one.step)).toEqual(
      thin.validations.map((one) => one.step).sort((a, b) => a - b),
    );
    expect(await metrics.readValidations(database, runId, 100)).toEqual(thin.validations);
    // What is fewer than asked for stands as it is.
    expect((await metrics.readHistory(database, runId, 1000, 100)).steps).toEqual(steps.slice(1000));
    expect(await metrics.readHistory(database, runId, 0, 2000)).toEqual(await metrics.readHistory(database, runId, 0));
  });

  it('holds test answers by row', async () => {
    const { runId } = await world();
    const read = () => metrics.readOutcomes(database, runId, 'classification');
    expect((await read()).outcomes).toEqual([]);
    await metrics.insertOutcomes(database, runId, [
      { id: 9, outcome: { label: 1, predicted: 0 }, details: { probabilities: [0.7, 0.3] } },
      { id: 4, outcome: { label: 0, predicted: 0 }, details: null },
    ]);
    const later = { id: 9, outcome: { label: 1, predicted: 1 }, details: { probabilities: [0.2, 0.8] } };
    await metrics.insertOutcomes(database, runId, [later]);
    expect(await read()).toEqual({
      objective: 'classification',
      rowIds: [4, 9],
      outcomes: [
        { label: 0, predicted: 0 },
        { label: 1, predicted: 1 },
      ],
    });
    expect((await metrics.listOutcomes(database, runId))[1]).toEqual(later);
    await metrics.clearMetrics(database, runId);
    expect((await read()).outcomes).toEqual([]);
  });
});
