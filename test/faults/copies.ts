/** Two copies of the app on one data folder. */
import { afterwards, began, readyFor, type Kind } from './kind.js';
import { requireIntact } from './inspect.js';
import { drawMoment } from './moments.js';
import { mixedWorks, projectId, works } from './works.js';

const never = () => null;

export const twoCopies: Kind = {
  name: 'two-copies',
  about: 'a second copy works in the same data folder; the first is killed or goes on',
  works: mixedWorks,
  weight: 4,
  hindered: never,
  async strike(world, name, seed) {
    const pace = await world.rehearsed(name);
    const stage = await world.stage(works[name], seed);
    if (works[name].template === 'old') {
      // Both bring the same old database up to date.
      const copies = [await world.copy(), await world.copy()] as const;
      await Promise.all(copies.map((copy) => copy.open(stage.home)));
      await copies[0].close();
      return { faults: 1, words: `opened by two at once: ${await world.settle(name, copies[1], stage)}` };
    }
    const first = await readyFor(world, name, stage);
    const end = began(name, first, stage);
    const moment = drawMoment(stage.random, pace);
    await moment.reached(first, end);
    const second = await world.opened(stage.home);
    const killed = stage.random() < 0.6;
    if (killed) await first.kill();
    // A project of its own, so that the work's outcome stays comparable.
    const { id } = await second.call('projects.create', { name: `Beside ${projectId}`, description: '' });
    await second.call('projects.remove', { id });
    if (!killed) {
      const problem = await end;
      if (problem) throw new Error(`The other copy ended it: ${problem.message}`);
      await first.close();
    }
    await requireIntact(stage.home);
    // The next start clears up after the first.
    const next = await afterwards(world, second, stage, true);
    return {
      faults: 1,
      words: `${moment.words}, the first ${killed ? 'killed' : 'goes on'}: ${await world.settle(name, next, stage)}`,
    };
  },
};
