/** Devices that fail in the middle of a step. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { missing } from './copy.js';
import { began, outcome, readyFor, type Kind, type Struck } from './kind.js';
import { drawMoment } from './moments.js';
import { works, type WorkName } from './works.js';
import type { World } from './world.js';

/** From now on the process gets no more memory than it has: whatever its runtime asks for next is refused. */
function starve(pid: number): boolean {
  try {
    const [, kilobytes] = /^VmSize:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    execFileSync('prlimit', ['--pid', String(pid), `--as=${Number(kilobytes) * 1024}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What a runtime does with a device that is refused memory is its own: it may say so, lose the device, or go down. */
async function starved(world: World, name: WorkName, seed: number): Promise<Struck> {
  const pace = await world.rehearsed(name);
  const stage = await world.stage(works[name], seed);
  const copy = await readyFor(world, name, stage);
  const end = began(name, copy, stage);
  const moment = drawMoment(stage.random, pace);
  await moment.reached(copy, end);
  const { trainer } = copy;
  const faults = trainer !== null && starve(trainer) ? 1 : 0;
  const told = outcome(await end);
  return { faults, words: `${moment.words}: ${told}; ${await world.settle(name, copy, stage)}` };
}

export const outOfMemory: Kind = {
  name: 'out-of-memory',
  about: "the system refuses the trainer's runtime any more memory, in the middle of a step (prlimit)",
  works: ['train', 'checkpoint', 'study', 'checkpoint'],
  weight: 2,
  hindered: () => missing('prlimit', '--version'),
  strike: starved,
};
