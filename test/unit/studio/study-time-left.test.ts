/** The time left of a study: by runs that have finished, before these by probes. */
import { expect, it } from 'vitest';
import type { Run } from '../../../electron/contract/entities.js';
import type { StudyStep } from '../../../electron/studio/studies/kinds/kind.js';
import { methodKey } from '../../../electron/studio/studies/probes.js';
import { secondsLeft } from '../../../electron/studio/studies/time-left.js';

const method = (type: string) => ({ options: { type } }) as StudyStep['method'];
const dataset = {
  rows: { train: 100, validation: 10, test: 10 },
  labels: ['a', 'b'],
} as unknown as StudyStep['dataset'];
const step = (key: string, type: string, maxSteps: number | null = 20): StudyStep =>
  ({
    key,
    dataset,
    method: method(type),
    size: null,
    plan: maxSteps === null ? null : { training: { maxSteps } },
  }) as unknown as StudyStep;
/** Took so many seconds from start to end, of which each of 20 steps took `rate`. */
const run = (seconds: number, rate: number): Run =>
  ({
    state: 'finished',
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: new Date(Date.parse('2026-01-01T00:00:00.000Z') + 1000 * seconds).toISOString(),
    result: { secondsPerStep: rate, steps: 20 },
  }) as unknown as Run;

const [full, lora] = [methodKey(method('full')), methodKey(method('lora'))];

it('knows nothing without runs and probes, and is told by probes of all methods', () => {
  const steps = [step('a', 'full'), step('b', 'lora'), step('c', 'lora', 40)];
  expect(secondsLeft(steps, new Map(), new Map())).toBeNull();
  // 20 steps of 2 s, 20 and 40 of 0.5 s.
  const probed = new Map([
    [full, 2],
    [lora, 0.5],
  ]);
  expect(secondsLeft(steps, new Map(), probed)).toBe(70);
});

it('takes what runs took rather than a probe, whatever object the method is', () => {
  const steps = [step('a', 'lora'), step('b', 'lora'), step('c', 'full')];
  const left = secondsLeft(
    steps,
    new Map([['a', run(30, 1)]]),
    new Map([
      [full, 2],
      [lora, 99],
    ]),
  );
  expect(left).toBe(30 + 40);
});

it('counts a run whose rate is not chosen yet by the steps of its like', () => {
  const steps = [step('a', 'lora'), step('b', 'lora', null)];
  expect(secondsLeft(steps, new Map([['a', run(30, 1)]]), new Map())).toBe(30);
  expect(secondsLeft(steps, new Map(), new Map([[lora, 1]]))).toBe(40);
});

it('takes the others for a method that has neither runs nor a probe yet', () => {
  const steps = [step('a', 'full'), step('b', 'lora'), step('c', 'head', null)];
  const probed = new Map([[full, 2]]);
  expect(secondsLeft(steps, new Map(), probed)).toBe(40 + 40 + 40);
  // A finished run's own rate, and the others around what runs took beside their steps.
  expect(secondsLeft(steps, new Map([['b', run(30, 1)]]), probed)).toBe(40 + 40);
});
