import { describe, expect, it } from 'vitest';
import { planSchema } from '../../../../electron/contract/index.js';
import type { DeviceReport, ErrorCode, Run, StageMetric } from '../../../../electron/contract/index.js';
import {
  canCancel,
  canDelete,
  canPause,
  canResume,
  devicesBeside,
  remediesOf,
} from '../../../../renderer/screens/runs/control.js';
import { plannedRate } from '../../../../renderer/screens/runs/planned.js';
import { stageCells } from '../../../../renderer/screens/runs/stages.js';
import { devicesOf, failureWords, runTitle } from '../../../../renderer/screens/runs/words.js';

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

describe('a run that was cut off on another device than the CPU', () => {
  const report = (id: DeviceReport['id'], status: DeviceReport['status']): DeviceReport => ({
    id,
    title: id,
    status,
    inUse: false,
    difference: null,
    secondsPerStep: null,
    reason: null,
    testedAt: null,
  });
  const known = [
    report('cpu', 'untested'),
    report('cuda', 'passed'),
    report('dml', 'failed'),
    report('webgpu', 'passed'),
  ];
  const ids = (it: Run) => devicesBeside(it, known).map(({ id }) => id);
  it('is offered the CPU and what passed, but not what it failed on', () =>
    expect(ids({ ...run('interrupted', 'device-failed'), device: 'webgpu' })).toEqual(['cpu', 'cuda']));
  it.each<[Run['state'], string | null]>([
    ['interrupted', 'cpu'],
    ['interrupted', null],
    ['finished', 'webgpu'],
    ['running', 'webgpu'],
  ])('is asked nothing where it is %s on %s', (state, device) => expect(ids({ ...run(state), device })).toEqual([]));
  it('is named with all its devices', () => {
    const devices = [
      { device: 'webgpu', afterStep: 0 },
      { device: 'cpu', afterStep: 5 },
    ];
    expect(devicesOf({ ...run('finished'), device: 'cpu', devices })).toBe('WebGPU, CPU');
    expect(devicesOf(run('queued'))).toBe('WebGPU');
  });
});

describe('remedies are plans that the contract accepts', () => {
  it('out of memory: smaller parts of a batch, less kept, shorter rows', () => {
    const remedies = remediesOf(run('failed', 'out-of-memory'));
    expect(remedies.map(({ plan: it }) => planSchema.parse(it).training)).toMatchObject([
      { accumulationSteps: 2, batchSize: 16 },
      { packWeights: false, gradientCheckpointing: true },
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
  it('ends with the stage at hand, whose schedule is its own', () => {
    const stage = { firstStep: 41, lastStep: 80 };
    const points = plannedRate({ schedule: 'linear', warmupRatio: 0.5 }, at(70, 0.5), 100, stage);
    expect(points[0]).toEqual({ x: 70, y: 0.5 });
    expect(points.at(-1)).toEqual({ x: 80, y: 0 });
    expect(plannedRate({ schedule: 'linear', warmupRatio: 0.5 }, at(59, 0.5), 100, stage)).toEqual([]);
    expect(plannedRate({ schedule: 'linear', warmupRatio: 0.5 }, at(80, 0.5), 100, stage)).toEqual([]);
  });
  it('is not drawn before the warm-up ends or after the last step', () => {
    expect(plannedRate({ schedule: 'linear', warmupRatio: 0.1 }, at(5, 0.5), 100)).toEqual([]);
    expect(plannedRate({ schedule: 'linear', warmupRatio: 0.1 }, at(100, 0), 100)).toEqual([]);
    expect(plannedRate({ schedule: 'linear', warmupRatio: 0.1 }, undefined, 100)).toEqual([]);
  });
});

describe('stageCells', () => {
  const told = (stage: number, more: Partial<StageMetric> = {}): StageMetric => ({
    stage,
    stages: 4,
    trains: 'embeddings, block 4 of 4, head',
    firstStep: 10 * stage - 9,
    lastStep: 10 * stage,
    learningRate: 0.1,
    trainableParameters: 10,
    optimizerBytes: 80,
    secondsPerStep: null,
    scores: null,
    helped: null,
    next: null,
    ...more,
  });
  const ended = (stage: number, macroF1: number, helped: boolean, next: StageMetric['next']) =>
    told(stage, { scores: { accuracy: 0, macroF1, loss: 1 }, helped, next });

  it('tells states, outcomes and what each stage brought', () => {
    const cells = stageCells([ended(1, 0.5, true, 'next'), ended(2, 0.48, false, 'back'), told(3)], 'running');
    expect(
      cells.map(({ stage, state, outcome, score, gain }) => [stage, state, outcome?.words, score?.value ?? null, gain]),
    ).toEqual([
      [1, 'done', 'helped', '50.0', null],
      [2, 'done', 'no gain, went back', '48.0', '\u22122.0 points'],
      [3, 'under way', undefined, null, null],
      [4, 'waits', undefined, null, null],
    ]);
  });
  it('says of a run that is over what never came', () => {
    const stopped = stageCells([ended(1, 0.5, true, 'next'), ended(2, 0.4, false, 'stop')], 'finished');
    expect(stopped.map(({ state, outcome }) => [state, outcome?.words])).toEqual([
      ['done', 'helped'],
      ['done', 'no gain, stopped'],
      ['left out', undefined],
      ['left out', undefined],
    ]);
    expect(stageCells([told(1)], 'cancelled')[0]?.state).toBe('cut short');
  });
  it('has nothing to say of a run without stages', () => expect(stageCells([], 'running')).toEqual([]));
});
