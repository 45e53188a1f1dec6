import { describe, expect, it } from 'vitest';
import { planSchema } from '../../../../electron/contract/index.js';
import type { ErrorCode, Run } from '../../../../electron/contract/index.js';
import { canCancel, canDelete, canPause, canResume, remediesOf } from '../../../../renderer/screens/runs/control.js';
import { plannedRate } from '../../../../renderer/screens/runs/planned.js';
import { failureWords, runTitle } from '../../../../renderer/screens/runs/words.js';

const plan = planSchema.parse({
  model: 'm',
  data: 'd',
  method: { type: 'lora' },
  device: 'webgpu',
  training: { batchSize: 16, maxLength: 128, learningRate: 0.001 },
});
const run = (state: Run['state'], code: ErrorCode | null = null, step = 10): Run => ({
  id: 1,
  projectId: 1,
  modelId: 1,
  datasetId: 1,
  modelName: 'm',
  datasetName: 'd',
  methodName: 'LoRA',
  setting: 'r 8, query value',
  seed: 3,
  plan,
  state,
  step,
  totalSteps: 100,
  secondsLeft: null,
  device: null,
  createdAt: '',
  startedAt: null,
  endedAt: null,
  validation: null,
  result: null,
  problem: code === null ? null : { code, message: 'x', hint: null, context: {} },
});

describe('what can be done with a run', () => {
  it.each([
    ['queued', false, false, true, true],
    ['preparing', true, false, true, false],
    ['running', true, false, true, false],
    ['paused', false, true, true, true],
    ['interrupted', false, true, true, true],
    ['finished', false, false, false, true],
    ['cancelled', false, false, false, true],
  ] as const)('%s', (state, pause, resume, cancel, remove) => {
    const it = run(state);
    expect([canPause(it), canResume(it), canCancel(it), canDelete(it)]).toEqual([pause, resume, cancel, remove]);
  });
  it('resumes a failed run only where that can help', () => {
    expect(canResume(run('failed', 'no-space'))).toBe(true);
    expect(canResume(run('failed', 'no-space', 0))).toBe(false);
    expect(canResume(run('failed', 'out-of-memory'))).toBe(false);
    expect(canResume(run('failed', 'diverged'))).toBe(false);
  });
});

describe('remedies are plans that the contract accepts', () => {
  it('out of memory: smaller parts of a batch, shorter rows', () => {
    const remedies = remediesOf(run('failed', 'out-of-memory'));
    expect(remedies.map(({ plan: it }) => planSchema.parse(it).training)).toMatchObject([
      { accumulationSteps: 2, batchSize: 16 },
      { maxLength: 64 },
    ]);
  });
  it('diverged: a lower rate', () =>
    expect(remediesOf(run('failed', 'diverged'))[0]?.plan.training.learningRate).toBe(0.00033));
  it('device failed: the CPU', () => expect(remediesOf(run('failed', 'device-failed'))[0]?.plan.device).toBe('cpu'));
});

describe('words', () => {
  it('names a run by method, the part of its setting that has a number, and seed', () => {
    expect(runTitle({ methodName: 'LoRA', setting: 'r 8, query value', seed: 3 })).toBe('LoRA r 8, seed 3');
    expect(runTitle({ methodName: 'BitFit', setting: 'all biases', seed: 1 })).toBe('BitFit, seed 1');
  });
  it('says why a run failed', () => expect(failureWords(run('failed', 'out-of-memory'))).toBe('Out of memory'));
});

describe('plannedRate', () => {
  const at = (step: number, learningRate: number) => ({
    step,
    learningRate,
    loss: 1,
    gradientNorm: null,
    tokensPerSecond: 1,
    memoryBytes: 1,
    seconds: 1,
  });
  it('falls straight to zero on the linear schedule', () => {
    const points = plannedRate({ schedule: 'linear', warmupRatio: 0 }, at(50, 0.5), 100);
    expect(points[0]).toEqual({ x: 50, y: 0.5 });
    expect(points.at(-1)).toEqual({ x: 100, y: 0 });
    expect(points[2]).toEqual({ x: 75, y: 0.25 });
  });
  it('follows half a cosine', () => {
    const points = plannedRate({ schedule: 'cosine', warmupRatio: 0 }, at(50, 0.5), 100);
    expect(points.find((point) => point.x === 75)?.y).toBeCloseTo((1 + Math.cos(0.75 * Math.PI)) / 2, 12);
  });
  it('is not drawn before the warm-up ends or after the last step', () => {
    expect(plannedRate({ schedule: 'linear', warmupRatio: 0.1 }, at(5, 0.5), 100)).toEqual([]);
    expect(plannedRate({ schedule: 'linear', warmupRatio: 0.1 }, at(100, 0), 100)).toEqual([]);
    expect(plannedRate({ schedule: 'linear', warmupRatio: 0.1 }, undefined, 100)).toEqual([]);
  });
});
