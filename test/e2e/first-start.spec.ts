/** The first start: quick, within its own folder, and asking nobody for anything. */
import { once } from 'node:events';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { prepareElectron } from '../../electron/dev/electron-binary.mjs';
import { openStudio } from '../../electron/dev/start.mjs';
import { expect, Studio, test } from './harness.js';

const logSchema = z.object({
  constants: z.object({ logEventTypes: z.record(z.string(), z.number()) }),
  events: z.array(z.object({ type: z.number(), params: z.looseObject({ url: z.string().optional() }).optional() })),
});

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

test('asks for nothing but its own page, and writes nowhere but into its own folder', async ({ home }) => {
  const user = path.join(home, 'user');
  const [data, runtime] = [path.join(user, 'data'), path.join(home, 'run')];
  for (const folder of [user, runtime]) await mkdir(folder, { recursive: true });
  const log = path.join(home, 'network.json');
  const studio = await Studio.start(data, [`--log-net-log=${log}`], { HOME: user, XDG_RUNTIME_DIR: runtime });
  await expect(studio.page.getByRole('heading', { level: 1 })).toBeVisible();
  const { homes } = await studio.inMain(({ app }) => ({ homes: app.getPath('home') }));
  expect(homes).toBe(user);
  await studio.call('projects.createSample', {});
  await expect
    .poll(
      async () =>
        (await studio.call('devices.list', {})).some(({ status }) => ['untested', 'testing'].includes(status)),
      // A software renderer may take half a minute for a step.
      { timeout: 180_000 },
    )
    .toBe(false);
  await studio.close();

  // A process of Chromium's writes the log's end, which may outlive the app for a moment.
  await expect
    .poll(async () => logSchema.safeParse(jsonOf(await readFile(log, 'utf8'))).success, { message: 'the log is whole' })
    .toBe(true);
  const { constants, events } = logSchema.parse(jsonOf(await readFile(log, 'utf8')));
  const asked = events
    .flatMap(({ params }) => params?.url ?? [])
    .filter((url) => !/^(app|file|data|blob|devtools):/.test(url));
  expect(asked).toEqual([]);
  // What a look for a name or a connection would leave in the log.
  const tried = ['HOST_RESOLVER_MANAGER_REQUEST', 'TCP_CONNECT', 'UDP_CONNECT'].map(
    (name) => constants.logEventTypes[name],
  );
  expect(tried.every((type) => type !== undefined)).toBe(true);
  expect(events.filter(({ type }) => tried.includes(type))).toEqual([]);
  expect(await readdir(user)).toEqual(['data']);
});

test('opens by npm start where there is no display, on a virtual one', async ({ home }) => {
  test.skip(process.platform !== 'linux', 'Windows and macOS always have one.');
  const data = path.join(home, 'data');
  const { DISPLAY: _, WAYLAND_DISPLAY: __, ...env } = process.env;
  const child = await openStudio(await prepareElectron(), [], { ...env, PEFT_STUDIO_HOME: data });
  const ended = once(child, 'exit');
  // The studio opens its data once the page is there.
  await expect.poll(() => readdir(data).catch(() => []), { timeout: 60_000 }).toContain('studio.db');
  child.kill();
  await ended;
});
