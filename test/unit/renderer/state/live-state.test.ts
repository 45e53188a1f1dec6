import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Job, LogLine, StageMetric, StepMetric, ValidationMetric } from '../../../../electron/contract/index.js';
import { Resource } from '../../../../renderer/state/resource.svelte.js';
import { LiveRun, STEP_LIMIT } from '../../../../renderer/state/live.svelte.js';
import { jobs } from '../../../../renderer/state/jobs.svelte.js';
import { confirm } from '../../../../renderer/state/confirm.svelte.js';

const step = (at: number, loss = 1): StepMetric => ({
  step: at,
  loss,
  learningRate: 0.1,
  gradientNorm: 1,
  tokensPerSecond: 10,
  memoryBytes: 1,
  seconds: at,
});
const check = (at: number): ValidationMetric => ({ step: at, accuracy: 0.5, macroF1: 0.5, loss: 1, best: false });
const stage = (number: number): StageMetric => ({
  stage: number,
  stages: 3,
  trains: '',
  firstStep: 10 * number - 9,
  lastStep: 10 * number,
  learningRate: 0.1,
  trainableParameters: number,
  optimizerBytes: 0,
  secondsPerStep: null,
  scores: null,
  helped: null,
  next: null,
});
const line = (time: string, message: string): LogLine => ({ time, level: 'note', message });
const job = (id: string, state: Job['state'], extra: Partial<Job> = {}): Job => ({
  id,
  kind: 'import',
  title: 'Import',
  state,
  done: 0,
  total: 1,
  message: '',
  secondsLeft: null,
  problem: null,
  ...extra,
});

/** A bridge that answers each call from a table. */
function answers(table: Readonly<Record<string, () => unknown>>): void {
  vi.stubGlobal('window', {
    studio: { call: async (name: string) => ({ ok: true, value: table[name]?.() }), on: () => () => undefined },
  });
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('LiveRun', () => {
  it('adds what came while the history was read, without telling anything twice', async () => {
    answers({
      'runs.history': () => ({
        steps: [step(1), step(2)],
        validations: [check(2)],
        stages: [stage(1), stage(2)],
        log: [line('2026-01-01T00:00:01Z', 'a'), line('2026-01-01T00:00:01Z', 'b')],
      }),
    });
    const live = new LiveRun(5);
    const loading = live.load();
    live.receive({
      runId: 5,
      steps: [step(2, 9), step(3)],
      validations: [check(2), check(3)],
      stages: [{ ...stage(1), next: 'next' }, stage(3)],
      log: [line('2026-01-01T00:00:01Z', 'a'), line('2026-01-01T00:00:01Z', 'b'), line('2026-01-01T00:00:02Z', 'c')],
    });
    await loading;
    expect(live.steps.map((it) => [it.step, it.loss])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
    expect(live.validations.map((it) => it.step)).toEqual([2, 3]);
    expect(live.stages.map((it) => [it.stage, it.next])).toEqual([
      [1, 'next'],
      [2, null],
      [3, null],
    ]);
    expect(live.log.map((it) => it.message)).toEqual(['a', 'b', 'c']);
  });

  it('asks for no more steps than a chart draws, and holds no more', async () => {
    const asked: unknown[] = [];
    const steps = Array.from({ length: STEP_LIMIT }, (_, i) => step(250 * (i + 1)));
    vi.stubGlobal('window', {
      studio: {
        call: async (_name: string, input: unknown) => {
          asked.push(input);
          return { ok: true, value: { steps, validations: [], stages: [], log: [] } };
        },
        on: () => () => undefined,
      },
    });
    const live = new LiveRun(5);
    await live.load();
    expect(asked).toEqual([{ id: 5, points: STEP_LIMIT }]);
    expect(live.steps).toHaveLength(STEP_LIMIT);
    live.receive({ runId: 5, steps: [step(1_000_001)], validations: [], stages: [], log: [] });
    vi.advanceTimersByTime(2000);
    expect(live.steps.length).toBeLessThanOrEqual(STEP_LIMIT);
    expect(live.steps.at(-1)?.step).toBe(1_000_001);
  });

  it('changes at most four times a second', async () => {
    answers({ 'runs.history': () => ({ steps: [], validations: [], stages: [], log: [] }) });
    const live = new LiveRun(5);
    await live.load();
    for (let at = 1; at <= 10; at += 1)
      live.receive({ runId: 5, steps: [step(at)], validations: [], stages: [], log: [] });
    expect(live.steps).toEqual([]);
    vi.advanceTimersByTime(249);
    expect(live.steps).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(live.steps).toHaveLength(10);
  });

  it('stays quiet once it is disposed of', async () => {
    answers({ 'runs.history': () => ({ steps: [], validations: [], stages: [], log: [] }) });
    const live = new LiveRun(5);
    await live.load();
    live.receive({ runId: 5, steps: [step(1)], validations: [], stages: [], log: [] });
    live.dispose();
    vi.advanceTimersByTime(1000);
    expect(live.steps).toEqual([]);
  });
});

describe('jobs', () => {
  it('gives the result of a job that ends later', async () => {
    answers({ 'jobs.list': () => [job('later', 'running')] });
    const waiting = jobs.finished('later');
    await vi.advanceTimersByTimeAsync(1);
    jobs.receive(job('later', 'done', { result: { rows: 3 } }));
    await expect(waiting).resolves.toEqual({ rows: 3 });
  });
  it('finds out about a job that ended before anyone listened', async () => {
    answers({ 'jobs.list': () => [job('early', 'done', { result: 7 })] });
    await expect(jobs.finished('early')).resolves.toBe(7);
  });
  it('throws the problem of a failed job and tells a cancelled one apart', async () => {
    answers({ 'jobs.list': () => [] });
    jobs.receive(
      job('bad', 'failed', { problem: { code: 'bad-file', message: 'Row 3 has no label.', hint: null, context: {} } }),
    );
    await expect(jobs.finished('bad')).rejects.toMatchObject({ code: 'bad-file', message: 'Row 3 has no label.' });
    jobs.receive(job('gone', 'cancelled'));
    await expect(jobs.finished('gone')).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('Resource', () => {
  it('keeps the answer to the last question, whichever comes first', async () => {
    const resource = new Resource<string>();
    let answerFirst: (value: string) => void = () => undefined;
    const first = resource.read(() => new Promise<string>((resolve) => (answerFirst = resolve)));
    await resource.read(async () => 'second');
    answerFirst('first');
    expect(await first).toBe(true);
    expect(resource.value).toBe('second');
    expect(resource.loading).toBe(false);
  });
  it('whose read was overtaken waits for the one that overtook it', async () => {
    const resource = new Resource<string>();
    let answerSecond: (value: string) => void = () => undefined;
    const seen = resource.read(async () => 'first').then(() => resource.value);
    void resource.read(() => new Promise<string>((resolve) => (answerSecond = resolve)));
    // The first is answered long before.
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    answerSecond('second');
    expect(await seen).toBe('second');
  });
  it('is left empty by a read that was under way when it was cleared', async () => {
    const resource = new Resource<string>();
    const read = resource.read(async () => 'late');
    resource.clear();
    expect(await read).toBe(false);
    expect(resource.value).toBeNull();
  });
  it('keeps the last good value beside a problem', async () => {
    const resource = new Resource<number>();
    await resource.read(async () => 1);
    await resource.read(() => Promise.reject(new Error('no')));
    expect(resource.value).toBe(1);
    expect(resource.problem).toMatchObject({ code: 'internal', message: 'no' });
  });
});

describe('confirm', () => {
  it('answers no to a question that another one replaces', async () => {
    const first = confirm.ask({ title: 'First', confirmLabel: 'Yes' });
    const second = confirm.ask({ title: 'Second', confirmLabel: 'Yes' });
    confirm.answer(true);
    await expect(first).resolves.toBe(false);
    await expect(second).resolves.toBe(true);
    expect(confirm.question).toBeNull();
  });
});
