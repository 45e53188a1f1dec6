/** What is tried with an installed app, whichever way it was installed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { onPath } from '../../electron/dev/system.mjs';
import { filesBelow, give, InstalledApp, leftBeside, runAsUser, until } from './app.mjs';

const here = import.meta.dirname;
const finished = ['finished', 'failed', 'interrupted', 'cancelled'];

/** Trains a short LoRA run on the sample in the window. @returns {Promise<number>} The run's number. */
export async function trainSample(app, maxSteps = 4) {
  const project = await app.call('projects.createSample');
  const [dataset] = await app.call('datasets.list', { projectId: project.id });
  const model = (await app.call('models.list')).find(({ builtIn }) => builtIn);
  const [run] = await app.call('runs.start', {
    projectId: project.id,
    plans: [
      {
        model: model.name,
        data: dataset.name,
        method: { type: 'lora', rank: 4 },
        training: { maxSteps, batchSize: 8 },
      },
    ],
  });
  const ended = await until(
    'the run',
    async () => {
      const now = await app.call('runs.get', { id: run.id });
      return finished.includes(now.state) ? now : null;
    },
    300,
  );
  assert.equal(ended.state, 'finished', ended.problem?.message);
  const { steps } = await app.call('runs.history', { id: run.id });
  assert.deepEqual(
    steps.map(({ step }) => step),
    [1, 2, 3, 4].slice(0, maxSteps),
  );
  assert.ok(steps.every(({ loss }) => loss > 0 && loss < 20));
  return run.id;
}

/** The installed command, on the data of the window: what it writes, what it says of wrong words, and that it leaves nothing else. */
export async function exportByCommand(command, user, run) {
  const words = (...list) => runAsUser(command[0], [...command.slice(1), ...list], { ...user.env, DISPLAY: '' });
  const folder = path.join(user.home, 'exported');
  const done = await words('export', String(run), '--format', 'peft', '--to', folder, '--json');
  assert.equal(done.code, 0, `${done.stdout}\n${done.stderr}`);
  const [line] = done.stdout
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text))
    .filter(({ event }) => event === 'export');
  assert.ok(line.proof.sameLabels && line.proof.largestDifference < 1e-3);
  assert.ok(filesBelow(folder).includes('adapter_model.safetensors'));
  const further = path.join(user.home, 'further');
  const taken = await words('take-further', String(run), '--to', further, '--without-model');
  assert.equal(taken.code, 0, `${taken.stdout}\n${taken.stderr}`);
  assert.ok(filesBelow(further).includes('train.py'));
  // Everything on stdout is JSON; a wrong word is an error with its code.
  const wrong = await words('no-such-command', '--json');
  assert.equal(wrong.code, 1);
  assert.equal(JSON.parse(wrong.stdout).event, 'error');
  assert.deepEqual(leftBeside(user), []);
}

/** The fuses at work: what would make the program run other code changes nothing. */
export async function runsNoOtherCode(command, user) {
  const [script, trace] = ['other.cjs', 'ran'].map((name) => path.join(user.home, name));
  writeFileSync(script, `require('node:fs').writeFileSync(${JSON.stringify(trace)}, '');\n`);
  give(user.home);
  const done = await runAsUser(command[0], [...command.slice(1), '--version'], {
    ...user.env,
    ELECTRON_RUN_AS_NODE: '1',
    NODE_OPTIONS: `--require=${script}`,
  });
  assert.match(done.stdout, /^peft-studio \d/);
  assert.ok(!existsSync(trace), 'other code was run');
}

/** A data folder as the first version left it, put where the app looks for its own. */
export function firstVersionData(user) {
  const home = path.join(user.home, '.local', 'share', 'peft-studio');
  mkdirSync(home, { recursive: true });
  cpSync(path.join(here, '..', 'fixtures', 'first-version'), home, { recursive: true });
  give(user.home);
  return home;
}

/** What the user would miss: projects, runs with their results, rows, and the hash of every trained file. */
export async function inventory(app, home) {
  const projects = await app.call('projects.list');
  const runs = await app.call('runs.list');
  const rows = await Promise.all(
    projects.map(async ({ id }) =>
      (await app.call('datasets.list', { projectId: id })).map(({ name, rows: count }) => ({ name, count })),
    ),
  );
  return {
    projects: projects.map(({ name, datasets, runs: count }) => ({ name, datasets, count })),
    runs: runs.map(({ id, state, methodName, result }) => ({ id, state, methodName, test: result?.test ?? null })),
    rows,
    files: trainedFiles(home),
  };
}

/** Hashes of what training left. */
export const trainedFiles = (home) =>
  filesBelow(path.join(home, 'runs'))
    .filter((file) => file.endsWith('.safetensors'))
    .map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(path.join(home, 'runs', file)))
        .digest('hex'),
    ]);

/**
 * A project file opened while the app runs comes to the window that is there, and its project with it. By the desktop entry as a double
 * click does it, where this machine has GLib's tool.
 */
export async function openFileTwice(program, user, app) {
  const file = path.join(user.home, 'Ein Projekt äß.peftproject');
  copyFileSync(path.join(here, '..', 'fixtures', 'small.peftproject'), file);
  give(user.home);
  const before = (await app.call('projects.list')).length;
  const second = onPath('gio')
    ? await runAsUser('gio', ['launch', '/usr/share/applications/peft-studio.desktop', file], user.env)
    : await runAsUser(program, [file], user.env);
  assert.equal(second.code, 0, second.stderr.slice(-500));
  await until('the opened project', async () => (await app.call('projects.list')).length === before + 1);
  await until('its screen', async () => /#\/project\/\d+\/data/.test(app.page.url()));
}

/** Starts five times more on the data that is there. @returns {Promise<number>} the median, seconds to the first screen */
export async function startTime(program, env) {
  const times = [];
  for (let i = 0; i < 5; i += 1) {
    const app = await InstalledApp.start(program, env);
    times.push(app.secondsToWindow);
    await app.stop();
  }
  return times.sort((a, b) => a - b)[2];
}

/** A package of the same files under a lower version: what a user has before an upgrade. */
export function olderDeb(deb, work, version) {
  const root = path.join(work, 'older');
  execFileSync('dpkg-deb', ['-R', deb, root]);
  const control = path.join(root, 'DEBIAN', 'control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, `Version: ${version}`));
  const file = path.join(work, `older_${version}.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z1', '-b', root, file], { stdio: 'ignore' });
  return file;
}
