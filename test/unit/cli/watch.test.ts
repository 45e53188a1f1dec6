import { describe, expect, it } from 'vitest';
import { Output, table } from '../../../electron/cli/output.js';
import { exitCodeOf, RunTeller } from '../../../electron/cli/watch.js';
import { planSchema } from '../../../electron/contract/plan.js';
import type { Run, StageMetric, StepMetric, ValidationMetric } from '../../../electron/contract/entities.js';

const run: Run = {
  id: 7,
  projectId: 1,
  modelId: 1,
  datasetId: 1,
  modelName: 'mini',
  datasetName: 'rows',
  methodName: 'LoRA',
  setting: 'r 8',
  seed: 1,
  plan: planSchema.parse({ model: 'mini', data: 'rows', method: { type: 'lora' } }),
  state: 'queued',
  step: 0,
  totalSteps: 4,
  secondsLeft: 75,
  device: 'cpu',
  createdAt: '2026-01-01T00:00:00Z',
  startedAt: null,
  endedAt: null,
  validation: null,
  result: null,
  problem: null,
};
const step = (number: number, loss: number | null = 1 / number): StepMetric => ({
  step: number,
  loss,
  learningRate: 0.1,
  gradientNorm: 1,
  tokensPerSecond: 100,
  memoryBytes: 1,
  seconds: 1,
});
const validation = (number: number): ValidationMetric => ({
  step: number,
  accuracy: 0.5,
  macroF1: 0.4,
  loss: 2,
  macroF1Interval: { low: 0, high: 1 },
  best: true,
});
const result = {
  test: { accuracy: 0.75, macroF1: 0.7, loss: 0.5, macroF1Interval: { low: 0.6, high: 0.8 } },
  validation: null,
  bestStep: 4,
  trainableParameters: 10,
  totalParameters: 1000,
  secondsPerStep: 0.25,
  tokensPerSecond: 100,
  peakMemoryBytes: 5e8,
  optimizerBytes: 80,
  checkpointBytes: 40,
  trainingSeconds: 3,
  steps: 4,
  stoppedEarly: false,
};

function teller(json: boolean) {
  let stdout = '';
  let stderr = '';
  const out = new Output(json, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    terminal: true,
  });
  return {
    teller: new RunTeller({ out }, run),
    stdout: () => stdout,
    stderr: () => stderr,
    events: () =>
      stdout
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
  };
}

describe('RunTeller', () => {
  it('tells the events of a run with exactly their keys, validations between the steps', () => {
    const { teller: one, events } = teller(true);
    one.state({ ...run, state: 'running' });
    one.metrics({ steps: [step(1), step(2), step(3)], validations: [validation(2)], stages: [] });
    // A trainer that resumed tells some again.
    one.metrics({
      steps: [step(2), step(3), step(4, null)],
      validations: [validation(2), validation(4)],
      stages: [],
    });
    one.state({ ...run, state: 'finished', step: 4, result });
    one.state({ ...run, state: 'finished', step: 4, result });
    const stepEvent = (number: number, loss: number | null = 1 / number) => ({
      event: 'step',
      step: number,
      loss,
      learningRate: 0.1,
      tokensPerSecond: 100,
    });
    const validationEvent = (number: number) => ({
      event: 'validation',
      step: number,
      accuracy: 0.5,
      macroF1: 0.4,
      loss: 2,
      best: true,
    });
    expect(events()).toEqual([
      { event: 'start', run: 7 },
      stepEvent(1),
      stepEvent(2),
      validationEvent(2),
      stepEvent(3),
      stepEvent(4, null),
      validationEvent(4),
      {
        event: 'result',
        run: 7,
        test: { accuracy: 0.75, macroF1: 0.7, loss: 0.5 },
        trainableParameters: 10,
        totalParameters: 1000,
        secondsPerStep: 0.25,
        peakMemoryBytes: 5e8,
        checkpointBytes: 40,
      },
    ]);
  });

  it('tells where stages begin and end among the steps, and each once', () => {
    const { teller: one, events } = teller(true);
    const stage: StageMetric = {
      stage: 1,
      stages: 2,
      trains: 'embeddings, block 2 of 2, head',
      firstStep: 1,
      lastStep: 2,
      learningRate: 0.1,
      trainableParameters: 10,
      optimizerBytes: 80,
      secondsPerStep: null,
      scores: null,
      helped: null,
      next: null,
    };
    const scores = { accuracy: 0.5, macroF1: 0.4, loss: 2 };
    const ended: StageMetric = { ...stage, secondsPerStep: 1, scores, helped: true, next: 'next' };
    const second: StageMetric = { ...stage, stage: 2, firstStep: 3, lastStep: 4, trainableParameters: 12 };
    one.metrics({ steps: [step(1)], validations: [], stages: [stage] });
    one.metrics({ steps: [step(2), step(3)], validations: [validation(2)], stages: [stage, ended, second] });
    one.metrics({ steps: [], validations: [], stages: [{ ...second, next: 'end' }] });
    const common = {
      event: 'stage',
      stage: 1,
      stages: 2,
      trains: 'embeddings, block 2 of 2, head',
      firstStep: 1,
      lastStep: 2,
      learningRate: 0.1,
      trainableParameters: 10,
    };
    const told = events() as { event: string; step?: number }[];
    expect(told.map(({ event, step: at }) => `${event} ${at ?? ''}`.trim())).toEqual([
      'start',
      'stage',
      'step 1',
      'step 2',
      'validation 2',
      'stage',
      'stage',
      'step 3',
      'stage',
    ]);
    expect(told[1]).toEqual({ ...common, state: 'begins' });
    expect(told[5]).toEqual({ ...common, state: 'ends', validation: scores, helped: true, next: 'next' });
    expect(told[8]).toMatchObject({ stage: 2, state: 'ends', validation: null, helped: null, next: 'end' });
  });

  it('says that there was no test', () => {
    const { teller: one, events } = teller(true);
    one.state({ ...run, state: 'finished', result: { ...result, test: null } });
    expect(events().at(-1)).toMatchObject({ event: 'result', test: null });
  });

  it('shows people progress with the time left, on stderr', () => {
    const { teller: one, stdout, stderr } = teller(false);
    one.state({ ...run, state: 'running' });
    one.metrics({ steps: [step(1)], validations: [], stages: [] });
    one.state({ ...run, state: 'paused', step: 1 });
    expect(stderr()).toContain('run 7: step 1/4, loss 1.0000, 100 tokens/s, 75 s left');
    expect(stdout()).toBe(
      'Run 7: LoRA, r 8, seed 1, mini on rows\nRun 7 is saved at step 1. Go on with: peft-studio resume 7\n',
    );
  });
});

it('a job without words yet shows no progress, and the first words come at once', () => {
  const said: string[] = [];
  for (const terminal of [true, false]) {
    const out = new Output(false, { stdout: () => undefined, stderr: (text) => said.push(text), terminal });
    out.progress('');
    out.progress(' ');
    expect(said.splice(0)).toEqual([]);
    out.progress('reading');
    expect(said.splice(0).join('')).toContain('reading');
  }
});

describe('exitCodeOf', () => {
  it('is 0, 130 or the failure', () => {
    expect(exitCodeOf({ ...run, state: 'finished' })).toBe(0);
    expect(exitCodeOf({ ...run, state: 'paused' })).toBe(130);
    const problem = {
      code: 'diverged' as const,
      message: 'The loss is no number.',
      hint: 'Lower the rate.',
      context: {},
    };
    expect(() => exitCodeOf({ ...run, state: 'failed', problem })).toThrow(
      expect.objectContaining({ code: 'diverged', hint: 'Lower the rate.' }),
    );
    expect(() => exitCodeOf({ ...run, state: 'interrupted' })).toThrow(
      expect.objectContaining({ code: 'trainer-lost', hint: expect.stringContaining('peft-studio resume 7') }),
    );
  });
});

it('table sets numbers right and words left', () => {
  expect(
    table(
      ['name', 'rows'],
      [
        ['a', '1,000'],
        ['long', 5],
      ],
    ),
  ).toBe('name   rows\na     1,000\nlong      5');
});
