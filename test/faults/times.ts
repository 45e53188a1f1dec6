/** Clocks that jump, processes that sleep. */
import { join } from 'node:path';
import { StudioError } from '../../electron/contract/errors.js';
import { pathToFileURL } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { signal } from './copy.js';
import { afterwards, began, outcome, readyFor, type Kind } from './kind.js';
import { drawMoment } from './moments.js';
import { mixedWorks, works } from './works.js';
import type { World } from './world.js';

const never = () => null;
const year = 365.25 * 86_400_000;
const jumps = [-1000, 3_600_000, -3_600_000, 86_400_000, -year, 10 * year, -20 * year];

export const clockJumps: Kind = {
  name: 'clock-jumps',
  about:
    "the clock of the app and its trainers jumps, by a second to decades, forth and back; the app's own end or a kill follows",
  works: mixedWorks,
  weight: 10,
  hindered: never,
  async strike(world, name, seed) {
    const { milliseconds } = await world.rehearsed(name);
    const stage = await world.stage(works[name], seed);
    const of = Array.from({ length: 1 + Math.floor(stage.random() * 4) }, () => [
      // The app takes a while to open before its work.
      Math.round(stage.random() * (milliseconds + 400)),
      jumps[Math.floor(stage.random() * jumps.length)] ?? 0,
    ]);
    const copy = await readyFor(world, name, stage, {
      nodeOptions: `--import ${pathToFileURL(join('test', 'faults', 'clock.mjs')).href}`,
      environment: { JUMPS: JSON.stringify(of) },
    });
    const started = performance.now();
    const end = began(name, copy, stage);
    const killed = stage.random() < 0.4;
    if (killed) {
      await drawMoment(stage.random, { milliseconds, events: 0 }).reached(copy, end);
      await copy.kill();
    }
    const problem = await end;
    if (problem) throw new Error(`A jump of the clock ended it: ${problem.message}`);
    // Those that came before its end for sure.
    const lived = performance.now() - started;
    const faults = of.filter(([after = 0]) => after < lived).length + (killed ? 1 : 0);
    const next = await afterwards(world, copy, stage, true);
    const words = of.map(([after, by]) => `${by} ms after ${after} ms`).join(', ');
    return {
      faults,
      words: `${words}${killed ? ', killed' : ''}; ${await world.settle(name, next, stage)}`,
    };
  },
};

export const suspended: Kind = {
  name: 'suspended',
  about:
    'trainer, app or both stand still for a while (SIGSTOP), as behind a closed lid; another copy may be opened meanwhile',
  works: [
    'import',
    'project-import',
    'project-export',
    'import',
    'project-import',
    'project-export',
    'import',
    'train',
    'checkpoint',
    'export',
  ],
  weight: 14,
  hindered: () => (process.platform === 'win32' ? 'Windows has no SIGSTOP' : null),
  async strike(world, name, seed) {
    const pace = await world.rehearsed(name);
    const stage = await world.stage(works[name], seed);
    const copy = await readyFor(world, name, stage);
    const end = began(name, copy, stage);
    const words: string[] = [];
    let faults = 0;
    for (let left = 1 + Math.floor(stage.random() * 5); left > 0; left -= 1) {
      const moment = drawMoment(stage.random, pace);
      if (await moment.reached(copy, end)) faults += 1;
      const who = Math.floor(stage.random() * 3);
      const trainer = copy.trainer === null ? [] : [copy.trainer];
      const stopped = [...(who === 1 && trainer.length > 0 ? [] : [copy.pid]), ...(who === 0 ? [] : trainer)];
      for (const pid of stopped) signal(pid, 'SIGSTOP');
      const wait = Math.round(30 + stage.random() * 300);
      try {
        await pause(wait);
        // Who sleeps is not dead: another copy must leave its work alone, or say that the database is in use.
        if (stopped.includes(copy.pid) && stage.random() < 0.2) await openBeside(world, stage.home);
      } finally {
        for (const pid of stopped) signal(pid, 'SIGCONT');
      }
      words.push(
        `${stopped.length > 1 ? 'both' : stopped[0] === copy.pid ? 'app' : 'trainer'} for ${wait} ms ${moment.words}`,
      );
    }
    const problem = await end;
    if (problem) throw new Error(`Standing still ended it: ${outcome(problem)}, ${problem.message}`);
    const found = await world.settle(name, copy, stage);
    if (!/finished|whole/.test(found)) throw new Error(`It did not go on by itself: ${found}`);
    return { faults, words: `${words.join(', ')}; ${found}` };
  },
};

async function openBeside(world: World, home: string): Promise<void> {
  const other = await world.copy();
  const refused = await other.open(home).then(
    () => null,
    (error: unknown) => error,
  );
  if (refused !== null && !(refused instanceof StudioError && refused.code === 'database')) throw refused;
  await other.close();
}
