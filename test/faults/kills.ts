/** kill -9: of the trainer, of the app's main process, of both at once, of the command; and at an exact call to the system. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { commandFolder } from '../helpers/command.js';
import { alive, missing, signal, type Copy } from './copy.js';
import { requireIntact } from './inspect.js';
import { afterwards, began, inLife, outcome, readyFor, type Kind, type Struck } from './kind.js';
import { drawMoment } from './moments.js';
import { Tracer } from './tracer.js';
import { mixedWorks, works, type WorkName } from './works.js';
import type { World } from './world.js';

const never = () => null;

export const killTrainer: Kind = {
  name: 'kill-trainer',
  about: 'kill -9 of the trainer, up to three times; the app goes on',
  works: ['train', 'checkpoint', 'export', 'train', 'checkpoint', 'export', 'train', 'study'],
  weight: 4,
  hindered: never,
  async strike(world, name, seed) {
    const pace = await world.rehearsed(name);
    const stage = await world.stage(works[name], seed);
    const copy = await readyFor(world, name, stage);
    const kills = 1 + Math.floor(stage.random() * 3);
    const words: string[] = [];
    let faults = 0;
    for (let life = 0; life < kills; life += 1) {
      const end = inLife(life, name, copy, stage);
      const moment = drawMoment(stage.random, pace);
      await moment.reached(copy, end);
      const trainer = await trainerOf(copy, end);
      if (trainer !== null && signal(trainer, 'SIGKILL')) faults += 1;
      words.push(`${moment.words}: ${outcome(await end)}`);
    }
    return { faults, words: `${words.join(', ')}; ${await world.settle(name, copy, stage)}` };
  },
};

/** Before its start there is nothing to kill; null where the work ended without one. */
async function trainerOf(copy: Copy, end: Promise<unknown>): Promise<number | null> {
  const over = end.then(
    () => true,
    () => true,
  );
  while (copy.trainer === null) if (await Promise.race([over, pause(2, false)])) return null;
  return copy.trainer;
}

/** Kills the app up to four times in a row on its way through one work. */
async function killAgainAndAgain(world: World, name: WorkName, seed: number, trainersToo: boolean): Promise<Struck> {
  const pace = await world.rehearsed(name);
  const stage = await world.stage(works[name], seed);
  // What trains nothing is quick: it is killed more often.
  const kills = works[name].trains ? 1 + Math.floor(stage.random() * 3) : 2 + Math.floor(stage.random() * 3);
  const words: string[] = [];
  let copy = await readyFor(world, name, stage);
  for (let life = 0; life < kills; life += 1) {
    const end = inLife(life, name, copy, stage);
    const moment = drawMoment(stage.random, pace);
    world.startAhead();
    await moment.reached(copy, end);
    await copy.kill(trainersToo);
    copy = await world.opened(stage.home);
    await requireIntact(stage.home);
    words.push(moment.words);
  }
  return { faults: kills, words: `${words.join(', ')}: ${await world.settle(name, copy, stage)}` };
}

export const killMain: Kind = {
  name: 'kill-main',
  about: 'kill -9 of the main process; its trainer has to go by itself',
  works: mixedWorks,
  weight: 12,
  hindered: never,
  strike: (world, name, seed) => killAgainAndAgain(world, name, seed, false),
};

export const powerCut: Kind = {
  name: 'kill-both',
  about: 'kill -9 of main process and trainer at once',
  works: mixedWorks,
  weight: 8,
  hindered: never,
  strike: (world, name, seed) => killAgainAndAgain(world, name, seed, true),
};

export const killCommand: Kind = {
  name: 'kill-command',
  about: 'kill -9 of the command peft-studio; the app takes over',
  works: mixedWorks.filter((name) => name !== 'project-export' && name !== 'project-import'),
  weight: 4,
  hindered: never,
  async strike(world, name, seed) {
    const { milliseconds } = await world.rehearsed(name);
    const stage = await world.stage(works[name], seed);
    const words = [...(works[name].command(stage) ?? []), '--home', stage.home, '--json'];
    const child = spawn(process.execPath, [join(commandFolder, 'cli.cjs'), ...words], { stdio: 'ignore' });
    const exit = once(child, 'exit');
    const wait = Math.round(stage.random() * milliseconds * 1.1);
    // Counted from where it opens the database: before, nothing can be lost.
    const opened = async () => {
      while (child.exitCode === null && !(await isThere(join(stage.home, 'studio.db-wal')))) await pause(2);
    };
    await opened();
    await Promise.race([pause(wait), exit]);
    const trainers = await childrenOf(child.pid ?? 0);
    child.kill('SIGKILL');
    await exit;
    for (const limit = Date.now() + 30_000; trainers.some(alive); await pause(5))
      if (Date.now() > limit) throw new Error('A trainer lives on without its command.');
    const copy = await world.opened(stage.home);
    return {
      faults: child.signalCode === 'SIGKILL' ? 1 : 0,
      words: `after ${wait} ms: ${await world.settle(name, copy, stage)}`,
    };
  },
};

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** Linux tells them; elsewhere nobody is waited for. */
const childrenOf = async (pid: number): Promise<number[]> =>
  (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => ''))
    .split(' ')
    .map(Number)
    .filter((child) => child > 0);

const MILLISECONDS_TO_TRACE = 30_000;

/** Calls to the system that change what is kept, each with about how many of it a work makes. */
const calls = { rename: 4, fsync: 6, fdatasync: 12, unlink: 6, mkdir: 3, ftruncate: 2, pwrite64: 120 } as const;

export const killAtCall: Kind = {
  name: 'kill-at-call',
  about: 'kill -9 of whichever process enters the n-th call of a kind that changes files (strace)',
  works: mixedWorks,
  weight: 6,
  hindered: () => missing('strace', '--version'),
  async strike(world, name, seed) {
    await world.rehearsed(name);
    const stage = await world.stage(works[name], seed);
    const names = Object.keys(calls) as (keyof typeof calls)[];
    const call = names[Math.floor(stage.random() * names.length)] ?? 'rename';
    // The first ones more often: most works make few.
    const count = Math.max(1, Math.round(calls[call] ** stage.random()));
    const copy = await readyFor(world, name, stage);
    const tracer = await Tracer.attach([copy.pid], call, `signal=SIGKILL:when=${count}`);
    const end = began(name, copy, stage);
    // strace itself may hang on what it has killed.
    await Promise.race([end.catch(() => undefined), pause(MILLISECONDS_TO_TRACE, null, { ref: false })]);
    await tracer.detach();
    const told = outcome(await end);
    const who = copy.ended ? 'the app' : tracer.struck ? 'the trainer' : 'nobody';
    if (copy.ended) await copy.kill();
    const next = await afterwards(world, copy, stage, false);
    await requireIntact(stage.home);
    return {
      faults: tracer.struck || copy.ended ? 1 : 0,
      words: `at ${call} ${count}, ${who}: ${told}; ${await world.settle(name, next, stage)}`,
    };
  },
};
