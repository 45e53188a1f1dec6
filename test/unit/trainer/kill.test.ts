/** kill -9 of the real process at arbitrary moments: the run always ends with the same losses, scores and parameters. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainingSchema } from '../../../electron/contract/plan.js';
import type { JobOf } from '../../../electron/trainer/protocol.js';
import { classRows, type ClassRow } from '../../helpers/outcomes.js';
import { asJsonLines, makeTinyModel, tinyLabels, tinyRows, uniforms } from '../../helpers/tiny-model.js';
import { removeBundles, TrainerProcess } from '../../helpers/trainer-process.js';

const entry = 'test/unit/trainer/toy-main.ts';
let folder: string;
let modelFolder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kill-'));
  modelFolder = await makeTinyModel(join(folder, 'model'));
  await writeFile(join(folder, 'train.jsonl'), asJsonLines(tinyRows(120, 1)));
  await writeFile(join(folder, 'validation.jsonl'), asJsonLines(tinyRows(30, 2)));
  await writeFile(join(folder, 'test.jsonl'), asJsonLines(tinyRows(30, 3)));
});
afterAll(removeBundles);

const jobOf = (runFolder: string, resume: boolean): JobOf<'train'> => ({
  type: 'train',
  resume,
  runFolder: join(folder, runFolder),
  task: {
    training: trainingSchema.parse({
      epochs: 20,
      batchSize: 4,
      learningRate: 0.2,
      maxLength: 32,
      checkpointEverySteps: 7,
      validateEverySteps: 50,
    }),
    method: { type: 'head' },
    modelFolder,
    objective: { type: 'classification', labels: [...tinyLabels] },
    device: 'cpu',
    threads: null,
    initFolder: null,
    data: {
      train: join(folder, 'train.jsonl'),
      validation: join(folder, 'validation.jsonl'),
      test: join(folder, 'test.jsonl'),
    },
  },
});

interface Told {
  losses: Map<number, number | null>;
  predictions: Map<number, ClassRow>;
  resumedAt: number[];
}
const nothingTold = (): Told => ({ losses: new Map(), predictions: new Map(), resumedAt: [] });

function listen(told: Told) {
  return (event: Parameters<NonNullable<Parameters<TrainerProcess['run']>[1]>>[0]) => {
    if (event.type === 'metrics') for (const step of event.steps) told.losses.set(step.step, step.loss);
    for (const row of classRows(event)) told.predictions.set(row.id, row);
    if (event.type === 'started') told.resumedAt.push(event.step);
  };
}

const sorted = (losses: Map<number, number | null>) => [...losses].sort(([left], [right]) => left - right);

describe('a trainer killed at any moment', () => {
  it('resumes to the very same run', { timeout: 120_000 }, async () => {
    const whole = nothingTold();
    const trainer = await TrainerProcess.start(entry);
    const result = await trainer.run(jobOf('whole', false), listen(whole));
    await trainer.kill();
    expect(whole.losses.size).toBe(600);

    const told = nothingTold();
    const next = uniforms(42);
    // While the data is read, at the first steps, in the middle, between validations, near the end; each a little later than the message that calls it.
    for (const [life, killAfter] of [-1, 0, 1, 90, 200, 330, 470, 590].entries()) {
      const trainer = await TrainerProcess.start(entry);
      const reached = new Promise<void>((resolve) => {
        const tell = listen(told);
        trainer
          .run(jobOf('killed', life > 0), (event) => {
            tell(event);
            if (
              killAfter < 0 ||
              (event.type === 'started' && killAfter === 0) ||
              (event.type === 'metrics' && event.steps.some((step) => step.step >= killAfter))
            )
              resolve();
          })
          .then(
            // On a busy machine it may come to its end before it is killed.
            () => resolve(),
            () => undefined, // The process it waits for is killed.
          );
      });
      await reached;
      await pause(next() * 15);
      await trainer.kill();
    }
    const last = await TrainerProcess.start(entry);
    const end = await last.run(jobOf('killed', true), listen(told));
    await last.kill();
    if (end.type !== 'train' || result.type !== 'train' || result.result === null) throw new Error('no result');
    const { test, validation, bestStep, steps } = result.result;
    expect(end.result).toMatchObject({ test, validation, bestStep, steps });
    expect(Math.max(...told.resumedAt)).toBeGreaterThan(300);
    expect(sorted(told.losses)).toEqual(sorted(whole.losses));
    expect(told.predictions).toEqual(whole.predictions);
    const [one, other] = await Promise.all(
      ['whole', 'killed'].map((name) => readFile(join(folder, name, 'trained.safetensors'))),
    );
    expect(other!.equals(one!)).toBe(true);
  });

  it('an orphan does not go on', async () => {
    // A host that forks the trainer, starts a job and is killed: the trainer must end by itself.
    const trainer = await TrainerProcess.start(entry);
    const host = join(folder, 'host.mjs');
    await writeFile(
      host,
      `import { fork } from 'node:child_process';
const child = fork(${JSON.stringify(trainer.child.spawnargs.at(-1))}, [], { stdio: 'ignore' });
child.on('message', (message) => { if (message.kind === 'ready') child.send({ kind: 'job', id: 'a', job: ${JSON.stringify(jobOf('orphan', false))} }); if (message.kind === 'event') process.send(child.pid); });`,
    );
    await trainer.kill();
    const parent = fork(host, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const pid: unknown = (await once(parent, 'message'))[0];
    if (typeof pid !== 'number') throw new Error('no pid');
    const gone = once(parent, 'exit');
    parent.kill('SIGKILL');
    await gone;
    await expect
      .poll(
        () => {
          try {
            process.kill(pid, 0);
            return 'alive';
          } catch {
            return 'gone';
          }
        },
        { timeout: 10_000 },
      )
      .toBe('gone');
  });
});
