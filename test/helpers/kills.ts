/** What a real trainer process tells of a run, undisturbed and killed with kill -9 again and again. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { TestOutcome } from '../../electron/contract/index.js';
import type { JobOf, JobResult, TrainerEvent } from '../../electron/trainer/protocol.js';
import { outcomesIn } from './outcomes.js';
import { uniforms } from './tiny-model.js';
import { TrainerProcess } from './trainer-process.js';

/** What a run told, however many processes it took. */
export class Told {
  readonly losses = new Map<number, number | null>();
  readonly outcomes = new Map<number, TestOutcome>();
  /** What a search for a wording tried and had, by the step of its validation. */
  readonly searches = new Map<number, unknown>();
  readonly resumedAt: number[] = [];
  readonly log: string[] = [];
  readonly listen = (event: TrainerEvent) => {
    if (event.type === 'metrics') {
      this.log.push(...event.log.map(({ message }) => message));
      for (const { step, loss } of event.steps) this.losses.set(step, loss);
      for (const { step, search } of event.validations) if (search) this.searches.set(step, search);
    }
    for (const row of outcomesIn(event)) this.outcomes.set(row.id, row);
    if (event.type === 'started') this.resumedAt.push(event.step);
  };
  /** Everything but where it resumed. */
  get outcome() {
    const sorted = [...this.losses].sort(([left], [right]) => left - right);
    return [sorted, this.outcomes, this.searches];
  }
}

const scoresOf = ({ result }: Extract<JobResult, { type: 'train' }>) =>
  result && {
    test: result.test,
    validation: result.validation,
    bestStep: result.bestStep,
    steps: result.steps,
    wording: result.wording,
  };

/**
 * Runs a job undisturbed, then anew in processes that are killed a little after each of the steps `killAfter` (0: once it has started), and to its end.
 * Asserts that both told the same numbers, ended with the same scores and kept the same file.
 */
export async function expectSameAfterKills(
  jobOf: (name: string, resume: boolean) => JobOf<'train'>,
  killAfter: readonly number[],
): Promise<{ whole: Told; killed: Told }> {
  const whole = new Told();
  const first = await TrainerProcess.start();
  const result = await first.run(jobOf('whole', false), whole.listen);
  await first.kill();

  const killed = new Told();
  const next = uniforms(killAfter.length);
  for (const [life, step] of killAfter.entries()) {
    const trainer = await TrainerProcess.start();
    await new Promise<void>((resolve) => {
      trainer
        .run(jobOf('killed', life > 0), (event) => {
          killed.listen(event);
          if (
            (event.type === 'started' && step === 0) ||
            (event.type === 'metrics' && event.steps.some((it) => it.step >= step))
          )
            resolve();
        })
        .then(
          // On a busy machine it may come to its end before it is killed.
          () => resolve(),
          () => undefined, // The process it waits for is killed.
        );
    });
    await pause(next() * 15);
    await trainer.kill();
  }
  const last = await TrainerProcess.start();
  const end = await last.run(jobOf('killed', true), killed.listen);
  await last.kill();
  if (result.type !== 'train' || end.type !== 'train' || result.result === null) throw new Error('no result');
  expect(Math.max(...killed.resumedAt)).toBeGreaterThan(0);
  expect(killed.outcome).toEqual(whole.outcome);
  expect(scoresOf(end)).toEqual(scoresOf(result));
  const [one, other] = await Promise.all(
    ['whole', 'killed'].map((name) => readFile(join(jobOf(name, false).runFolder, 'trained.safetensors'))),
  );
  expect(other?.equals(one ?? Buffer.alloc(0))).toBe(true);
  return { whole, killed };
}
