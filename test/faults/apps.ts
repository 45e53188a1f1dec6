/** kill -9 of the whole app: Electron with its window, on a display. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { prepareElectron } from '../../electron/dev/electron-binary.mjs';
import { planSchema } from '../../electron/contract/plan.js';
import { signal } from './copy.js';
import { requireIntact } from './inspect.js';
import { projectId, trainPlan, works } from './works.js';
import { readyFor, type Kind } from './kind.js';

export const killApp: Kind = {
  name: 'kill-app',
  about:
    'kill -9 of the whole app (Electron), or of its main process alone, while it opens or trains what waited in its queue',
  works: ['train'],
  weight: 1,
  hindered: () =>
    process.platform !== 'linux'
      ? 'its processes are found as Linux tells them'
      : !process.env['DISPLAY']
        ? 'there is no display'
        : existsSync(join('dist', 'main.cjs'))
          ? null
          : 'the app is not built (npm run build)',
  async strike(world, name, seed) {
    const { milliseconds } = await world.rehearsed(name);
    const stage = await world.stage(works[name], seed);
    const copy = await readyFor(world, name, stage);
    // The second of two waits when the copy is killed: the app takes it up by itself.
    const first = planSchema.parse({ ...trainPlan, training: { ...trainPlan.training, maxSteps: 5000 } });
    await copy.call('runs.start', { projectId, plans: [first, trainPlan], initFolder: null });
    await copy.kill(true);
    const before = await locks(stage.home);
    const app = spawn(await prepareElectron(), [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), process.cwd()], {
      env: { ...process.env, PEFT_STUDIO_HOME: stage.home },
      stdio: 'ignore',
      detached: true,
    });
    const exit = once(app, 'exit');
    // It has opened the folder; the killed copy's lock may be gone already.
    while (app.exitCode === null && (await locks(stage.home)).every((name) => before.includes(name))) await pause(5);
    const wait = Math.round(stage.random() * (milliseconds * 2 + 1000));
    await pause(wait);
    const all = stage.random() < 0.5;
    if (all) signal(-(app.pid ?? 0), 'SIGKILL');
    else app.kill('SIGKILL');
    await exit;
    // What the main process leaves alone goes by itself.
    for (const limit = Date.now() + 60_000; (await processesOf(stage.home)).length > 0; await pause(50))
      if (Date.now() > limit) throw new Error(`Processes live on without their app: ${await processesOf(stage.home)}`);
    const next = await world.opened(stage.home);
    await requireIntact(stage.home);
    return { faults: 1, words: `${all ? 'all' : 'main'} after ${wait} ms: ${await world.settle(name, next, stage)}` };
  },
};

const locks = async (home: string) => (await readdir(join(home, 'processes'))).filter((name) => name.endsWith('.lock'));

/** Living processes that were started for a data folder. */
async function processesOf(home: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    if (environment.includes(`PEFT_STUDIO_HOME=${home}\0`)) found.push(Number(name));
  }
  return found;
}
