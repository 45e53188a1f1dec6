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
