/** What the system starts the app with: a project file, and the words of the command. */
import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { prepareElectron } from '../../electron/dev/electron-binary.mjs';
import { expect, Studio, test } from './harness.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

// In German the page is loaded before it is drawn: its texts are read first.
test('a project file that the app is started with is opened', async ({ home }) => {
  const file = path.join(root, 'test', 'fixtures', 'small.peftproject');
  const studio = await Studio.start(home, ['--lang=de-DE'], { LANGUAGE: 'de' }, [file]);
  await expect.poll(() => studio.page.url(), { timeout: 60_000 }).toMatch(/#\/project\/\d+\/data$/);
  expect(await studio.page.evaluate(() => document.documentElement.lang)).toBe('de');
  expect(await studio.call('projects.list', {})).toHaveLength(1);
  expect(studio.complaints).toEqual([]);
  await studio.close();
});

test('a notification that is clicked after the window was closed opens it where the run is', async ({ home }) => {
  test.setTimeout(240_000);
  const studio = await Studio.start(home);
  await studio.call('settings.set', { ...(await studio.call('settings.get', {})), onClose: 'continue' });
  // There may be nobody on this display who shows notifications.
  await studio.inMain(({ Notification }) => {
    Notification.isSupported = () => true;
    Notification.prototype.show = function (this: Electron.Notification) {
      (globalThis as { clicked?: () => void }).clicked ??= () => this.emit('click');
    };
  });
  const at = (id: string) => studio.page.getByTestId(id);
  await at('try-sample').click();
  await expect(at('train')).toBeEnabled({ timeout: 60_000 });
  await at('seeds').fill('1');
  await at('training-maxSteps').fill('100');
  await at('train').click();
  await expect(at('run-state')).toBeVisible({ timeout: 60_000 });
  const opened = studio.app.waitForEvent('window', { timeout: 200_000 });
  await studio.page.close({ runBeforeUnload: true });
  // One of two runs is over, the other goes on without a window.
  await expect
    .poll(() => studio.inMain(() => typeof (globalThis as { clicked?: () => void }).clicked), { timeout: 120_000 })
    .toBe('function');
  await studio.inMain(() => (globalThis as { clicked?: () => void }).clicked?.());
  const page = await opened;
  await expect.poll(() => page.url(), { timeout: 30_000 }).toMatch(/#\/project\/\d+\/runs\/\d+$/);
  await expect(page.getByTestId('run-state')).toBeVisible({ timeout: 30_000 });
  await studio.app.close();
});

test('the command leaves nothing behind but its data', async ({ home }) => {
  const [user, temporary] = [path.join(home, 'user'), path.join(home, 'tmp')];
  for (const folder of [user, temporary]) await mkdir(folder);
  const data = path.join(user, 'data');
  const electron = await prepareElectron();
  const command = (...words: string[]) =>
    promisify(execFile)(
      electron,
      ['--no-sandbox', '--ozone-platform=headless', '--disable-gpu', '--log-level=3', root, '--cli', '--', ...words],
      { env: { ...process.env, HOME: user, TMPDIR: temporary, PEFT_STUDIO_HOME: data } },
    );
  // One that ends before Chromium has begun, and some that end while its processes still start.
  expect((await command('--version')).stdout).toMatch(/^peft-studio \d/);
  for (let i = 0; i < 3; i += 1) expect((await command('model', 'list')).stdout).toContain('Starter');
  expect(await readdir(temporary)).toEqual([]);
  expect(await readdir(user)).toEqual(['data']);
});
