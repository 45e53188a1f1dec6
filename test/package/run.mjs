/**
 * `npm run package:test`: installs what `npm run package` left in release/ on this machine, uses it and removes it again. Debian, as root.
 * It installs and removes the package "peft-studio": not on a machine where somebody works with it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { openDisplay } from '../../electron/dev/display.mjs';
import { releaseFolder } from '../../electron/dev/package/run.mjs';
import { fail, PrepareError, root, runCommand, say } from '../../electron/dev/tools.mjs';
import { account, endProcessesOf, filesBelow, give, InstalledApp, leftBeside, runAsUser, until } from './app.mjs';
import { checkContents } from './contents.mjs';
import { Feed, sha512 } from './feed.mjs';
import { packImage, setFeed, setVersion, unpackImage } from './images.mjs';
import {
  exportByCommand,
  firstVersionData,
  inventory,
  olderDeb,
  openFileTwice,
  runsNoOtherCode,
  startTime,
  trainedFiles,
  trainSample,
} from './steps.mjs';

const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const installed = '/opt/PEFT Studio/peft-studio';
const command = ['/usr/bin/peft-studio'];
const own = path.join('.local', 'share', 'peft-studio');
const numbers = {};
let failed = 0;

async function step(name, work) {
  const started = Date.now();
  try {
    await work();
    say(`ok   ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    say(`FAIL ${name}: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
  }
}

function built(end) {
  const name = existsSync(releaseFolder) ? readdirSync(releaseFolder).find((file) => file.endsWith(end)) : undefined;
  if (!name) throw new PrepareError(`release/ holds no *${end}.`, 'Run npm run package first.');
  return path.join(releaseFolder, name);
}

const dpkg = (...args) =>
  execFileSync('dpkg', args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });

async function debStory(env, work) {
  const deb = built('.deb');
  const user = account(env);
  const home = firstVersionData(user);
  let before;
  try {
    await step('an older package is installed', () => {
      dpkg('-i', olderDeb(deb, work, '0.0.1'));
      assert.ok(existsSync(installed) && existsSync(command[0]));
    });
    await step('it holds all that it needs, nothing of other systems, and runs no other code', async () => {
      await checkContents(path.dirname(installed));
      await runsNoOtherCode(command, user);
    });
    await step('the data of the first version open, and the sample trains in the installed app', async () => {
      const app = await InstalledApp.start(installed, user.env);
      assert.equal((await app.call('runs.get', { id: 1 })).state, 'finished');
      assert.match((await app.call('updates.get')).reason, /package manager/);
      await trainSample(app);
      await openFileTwice(installed, user, app);
      before = await inventory(app, home);
      assert.equal(before.runs.filter(({ state }) => state === 'finished').length >= 2, true);
      await app.stop();
      assert.deepEqual(leftBeside(user), []);
    });
    await step('the command exports the run, without a display', () => exportByCommand(command, user, 2));
    await step('an upgrade keeps everything', async () => {
      dpkg('-i', deb);
      assert.ok(existsSync(command[0]), 'the command is gone after the upgrade');
      const app = await InstalledApp.start(installed, user.env);
      assert.equal((await app.call('app.info')).version, version);
      assert.deepEqual(await inventory(app, home), before);
      await app.stop();
    });
    await step('starts are timed', async () => {
      numbers.deb = await startTime(installed, user.env);
    });
    await step('the first start: no packet, no name asked for, nothing outside its own folder', async () => {
      const script = path.join(import.meta.dirname, 'first-start.mjs');
      const { code, output } = await runCommand(
        path.join(import.meta.dirname, 'first-start.sh'),
        [process.execPath, script, installed],
        { quiet: true },
      );
      const found = code === 0 ? JSON.parse(output.trim().split('\n').at(-1)) : assert.fail(output);
      assert.ok(found.controlPackets > 0 && found.controlDatagrams > 0, 'the meter counts nothing');
      assert.deepEqual({ packets: found.packets, datagrams: found.datagrams }, { packets: 0, datagrams: 0 });
      assert.equal(found.home, own);
      assert.deepEqual(
        found.files.filter((file) => !file.startsWith(`${own}/`)),
        [],
      );
      assert.deepEqual(found.beside, []);
      numbers.firstStart = found.secondsToWindow;
    });
    await step('removing the package leaves the data alone', () => {
      const files = filesBelow(home).length;
      dpkg('-r', 'peft-studio');
      assert.ok(
        !existsSync(path.dirname(installed)) &&
          !existsSync(command[0]) &&
          !existsSync('/usr/share/applications/peft-studio.desktop'),
      );
      assert.equal(filesBelow(home).length, files);
      assert.deepEqual(trainedFiles(home), before?.files);
    });
  } finally {
    await runCommand('dpkg', ['--purge', 'peft-studio'], { quiet: true });
    rmSync(user.root, { recursive: true, force: true });
  }
}

async function appImageStory(env, work) {
  const image = path.join(work, 'PEFT-Studio.AppImage');
  copyFileSync(built('.AppImage'), image);
  give(work);
  const user = account(env);
  try {
    await step('the AppImage starts, trains and exports', async () => {
      const app = await InstalledApp.start(image, user.env);
      const run = await trainSample(app);
      assert.match((await app.call('updates.get')).reason, /no release feed/);
      await app.stop();
      await exportByCommand(
        [image, '--no-sandbox', '--ozone-platform=headless', '--disable-gpu', '--log-level=3', '--cli', '--'],
        user,
        run,
      );
    });
    await step('starts are timed', async () => {
      numbers.AppImage = await startTime(image, user.env);
    });
  } finally {
    rmSync(user.root, { recursive: true, force: true });
  }
  await step("an update comes from the feed, is checked, and takes the old file's place", () =>
    updateStory(env, work, image),
  );
}

async function updateStory(env, work, image) {
  const next = version.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));
  const feed = new Feed();
  await feed.open();
  const user = account(env);
  try {
    const unpacked = unpackImage(image, path.join(work, 'image'));
    await checkContents(unpacked.folder);
    setFeed(unpacked.folder, feed.url);
    packImage(unpacked, image);
    setVersion(unpacked.folder, version, next);
    const newer = path.join(work, `peft-studio-${next}.AppImage`);
    packImage(unpacked, newer);
    give(work);
    const hash = await sha512(newer);

    const app = await InstalledApp.start(image, user.env);
    assert.equal((await app.call('updates.get')).state, 'idle');
    await app.page.waitForTimeout(2000);
    assert.deepEqual(feed.asked, [], 'the app asked before anybody said so');
    assert.match((await app.call('updates.check')).problem?.message ?? '', /no readable answer/);
    feed.release = { version: next, file: newer, sha512: Buffer.alloc(64).toString('base64') };
    assert.deepEqual((({ state, version: found }) => [state, found])(await app.call('updates.check')), [
      'available',
      next,
    ]);
    const refused = await app.call('updates.download');
    assert.equal(refused.state, 'available');
    assert.match(refused.problem.message, /checksum differs/);
    assert.deepEqual(
      [...new Set(feed.asked.map(({ staging }) => staging))].filter(Boolean),
      ['none'],
      'the feed could tell users apart',
    );

    // While a run is going nothing of it happens.
    const training = trainSample(app);
    await until('a run', async () =>
      (await app.call('runs.list')).some(({ state }) => ['queued', 'preparing', 'running'].includes(state)),
    );
    await assert.rejects(app.call('updates.check'), /A run is under way/);
    await training;

    feed.release = { ...feed.release, sha512: hash };
    await app.call('updates.check');
    assert.equal((await app.call('updates.download')).state, 'ready');
    await app.call('updates.install').catch(() => undefined);
    await app.ended;
    assert.equal(await sha512(image), hash, 'the file is not the new version');
    // It starts the new version by itself; this one is watched from outside.
    const log = path.join(user.home, own, 'log', 'studio.log');
    await until('a start of the new version', () => readFileSync(log, 'utf8').includes(` start version="${next}"`));
    await endProcessesOf(user.home);
    const renewed = await InstalledApp.start(image, user.env);
    assert.equal((await renewed.call('app.info')).version, next);
    assert.equal((await renewed.call('runs.list'))[0].state, 'finished');
    await renewed.stop();
  } finally {
    await endProcessesOf(user.home);
    feed.close();
    rmSync(user.root, { recursive: true, force: true });
  }
}

async function otherPackages(env, work) {
  await step('the tar.gz unpacks and starts', async () => {
    const user = account(env);
    try {
      execFileSync('tar', ['-xzf', built('.tar.gz'), '-C', work]);
      const folder = readdirSync(work).find(
        (name) => existsSync(path.join(work, name, 'peft-studio')) && name.startsWith('peft-studio-'),
      );
      const program = path.join(work, folder, 'peft-studio');
      give(work);
      await checkContents(path.dirname(program));
      numbers['tar.gz'] = await startTime(program, user.env);
      const listed = await runAsUser(
        path.join(work, folder, 'resources', 'command', 'peft-studio'),
        ['model', 'list', '--json'],
        user.env,
      );
      assert.equal(JSON.parse(listed.stdout.split('\n')[0]).name, 'Starter', listed.stderr);
    } finally {
      rmSync(user.root, { recursive: true, force: true });
    }
  });
  await step('the rpm holds the same program and its dependencies', () => {
    const rpm = built('.rpm');
    const files = execFileSync('rpm', ['-qpl', rpm], { encoding: 'utf8' }).split('\n');
    for (const file of [
      installed,
      '/usr/share/applications/peft-studio.desktop',
      '/usr/share/mime/packages/peft-studio.xml',
    ])
      assert.ok(files.includes(file), `${file} is missing`);
    assert.match(execFileSync('rpm', ['-qpR', rpm], { encoding: 'utf8' }), /gtk3/);
    assert.match(execFileSync('rpm', ['-Kv', '--nosignature', rpm], { encoding: 'utf8' }), /digest: OK/i);
  });
  await step('the rpm installs, is upgraded, starts and goes', () => rpmStory(env, work));
}

/** With a data base of packages of its own: dpkg's machine knows nothing of it, and its names of libraries are other ones. */
async function rpmStory(env, work) {
  const user = account(env);
  const rpm = (...args) =>
    execFileSync('rpm', ['--dbpath', path.join(work, 'rpmdb'), '--nodeps', ...args], { stdio: 'ignore' });
  try {
    rpm('--force-debian', '-i', built('.rpm'));
    rpm('--force-debian', '-U', '--replacepkgs', built('.rpm'));
    assert.ok(existsSync(command[0]), 'the command is gone after the upgrade');
    await checkContents(path.dirname(installed));
    numbers.rpm = await startTime(installed, user.env);
  } finally {
    rpm('-e', 'peft-studio');
    rmSync(user.root, { recursive: true, force: true });
  }
  assert.ok(!existsSync(path.dirname(installed)) && !existsSync(command[0]), 'something stayed');
}

async function main() {
  if (process.platform !== 'linux' || process.getuid() !== 0)
    throw new PrepareError('This test installs packages.', 'Run it as root on Debian or Ubuntu.');
  if (existsSync(path.dirname(installed)) || existsSync(command[0]))
    throw new PrepareError('PEFT Studio is installed on this machine.', 'Remove it first, or test elsewhere.');
  const only = process.argv.slice(2);
  const display = await openDisplay();
  const work = mkdtempSync(path.join(tmpdir(), 'peft-studio-package-'));
  try {
    for (const [name, story] of Object.entries({ deb: debStory, appimage: appImageStory, others: otherPackages }))
      if (only.length === 0 || only.includes(name)) await story(display.env, work);
  } finally {
    display.stop();
    rmSync(work, { recursive: true, force: true });
  }
  for (const end of ['.deb', '.rpm', '.tar.gz', '.AppImage'])
    say(`${end.slice(1).padEnd(8)} ${(statSync(built(end)).size / 1e6).toFixed(0).padStart(4)} MB`);
  for (const [name, value] of Object.entries(numbers))
    say(`${name}: ${value.toFixed(2)} s from start to the first screen`);
  say(`${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0].toFixed(1)}`);
  process.stdout.write(failed === 0 ? 'all passed\n' : `${failed} failed\n`);
  process.exit(failed === 0 ? 0 : 1);
}

main().catch(fail);
