/** The window itself: what it shows, what it lets through, what it refuses. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, Studio, test } from './harness.js';

test('opens on the projects and reports nothing broken', async ({ studio }) => {
  await expect(studio.page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(studio.page).toHaveTitle(/PEFT Studio/);
  expect(studio.complaints).toEqual([]);
  await studio.picture('first-start');
});

test('gives the page the contract and nothing else', async ({ studio }) => {
  const reach = await studio.page.evaluate(() => ({
    bridge: Object.keys(window.studio ?? {}).sort(),
    node: ['require', 'process', 'module', 'Buffer', 'global', '__dirname'].filter((name) => name in window),
  }));
  expect(reach).toEqual({ bridge: ['call', 'on'], node: [] });
  const preferences = await studio.inMain(({ BrowserWindow }) => {
    const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as {
      getLastWebPreferences(): Record<string, unknown>;
    };
    const set = contents.getLastWebPreferences();
    const on = Object.entries(set).flatMap(([name, value]) => (value === true ? [name] : []));
    return { on, nodeIntegration: set['nodeIntegration'], blinkFeatures: set['enableBlinkFeatures'] ?? '' };
  });
  expect(preferences.on).toEqual(expect.arrayContaining(['contextIsolation', 'sandbox', 'webSecurity']));
  for (const name of [
    'allowRunningInsecureContent',
    'experimentalFeatures',
    'nodeIntegrationInWorker',
    'nodeIntegrationInSubFrames',
    'webviewTag',
  ])
    expect(preferences.on).not.toContain(name);
  expect(preferences).toMatchObject({ nodeIntegration: false, blinkFeatures: '' });
  expect(studio.page.url()).toMatch(/^app:\/\/studio\//);
});

test('answers no other page, though it has the bridge', async ({ studio }) => {
  const answers = await studio.app.evaluate(async ({ BrowserWindow }, preload) => {
    const other = new BrowserWindow({ show: false, webPreferences: { preload, sandbox: true } });
    const ask = async (address: string) => {
      await other.loadURL(address);
      return other.webContents.executeJavaScript("window.studio.call('app.info', {})") as Promise<unknown>;
    };
    try {
      return [await ask('data:text/html,foreign'), await ask('app://studio/index.html')];
    } finally {
      other.destroy();
    }
  }, path.resolve('dist/preload.cjs'));
  for (const answer of answers) expect(answer).toMatchObject({ ok: false, problem: { code: 'no-access' } });
});

test('answers a wrong call with a typed problem', async ({ studio }) => {
  const answers = await studio.page.evaluate(async () => {
    const bridge = window.studio as unknown as {
      call(name: unknown, input: unknown): Promise<unknown>;
      on(name: unknown, listener: unknown): unknown;
    };
    const listening = (name: unknown) => {
      try {
        bridge.on(name, () => undefined);
        return 'listens';
      } catch (error) {
        return error instanceof Error ? error.message : 'refused';
      }
    };
    return {
      range: await bridge.call('projects.get', { id: -1 }),
      unknown: await bridge.call('__proto__', {}),
      path: await bridge.call('files.write', { path: '/tmp/never-chosen.txt', text: 'x' }),
      event: listening('secrets'),
    };
  });
  expect(answers.range).toMatchObject({
    ok: false,
    problem: { code: 'bad-input', message: expect.stringContaining('id') },
  });
  expect(answers.unknown).toMatchObject({ ok: false, problem: { code: 'bad-input' } });
  expect(answers.path).toMatchObject({ ok: false, problem: { code: 'no-access' } });
  expect(answers.event).toContain('no event named secrets');
});

test('opens a path only after the user chose it', async ({ studio, home }) => {
  const file = path.join(home, 'rows.csv');
  await writeFile(file, 'text,label\none,a\ntwo,b\n');
  await expect(studio.call('datasets.inspect', { path: file })).rejects.toThrow('no-access');
  await studio.choose(file);
  expect(await studio.call('files.choose', { kind: 'data' })).toEqual({ path: file });
  expect((await studio.call('datasets.inspect', { path: file })).columns.map((column) => column.name)).toEqual([
    'text',
    'label',
  ]);
  await expect(studio.call('datasets.inspect', { path: `${file}/../other.csv` })).rejects.toThrow('no-access');
});

test('runs no foreign script and goes nowhere', async ({ studio }) => {
  const { page } = studio;
  const tried = await page.evaluate(async () => {
    const refused: string[] = [];
    document.addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective));
    const inline = document.createElement('script');
    inline.textContent = 'window.foreign = true';
    document.head.append(inline);
    const remote = document.createElement('img');
    remote.src = 'https://example.com/a.png';
    document.body.append(remote);
    const fetched = await fetch('https://example.com/').then(
      () => 'fetched',
      () => 'refused',
    );
    const outside = await fetch('app://studio/../package.json').then((answer) => answer.status);
    const evaluated = await import(/* @vite-ignore */ `${'data'}:text/javascript,window.foreign=true`).then(
      () => 'ran',
      () => 'refused',
    );
    const opened = window.open('https://example.com/');
    await new Promise((resolve) => setTimeout(resolve, 300));
    return {
      foreign: 'foreign' in window,
      fetched,
      outside,
      evaluated,
      opened: opened === null ? 'refused' : 'opened',
      refused: [...new Set(refused)].sort(),
    };
  });
  expect(tried).toEqual({
    foreign: false,
    fetched: 'refused',
    outside: 404,
    evaluated: 'refused',
    opened: 'refused',
    refused: ['connect-src', 'img-src', 'script-src-elem'],
  });
  const before = page.url();
  await page.evaluate(() => void (location.href = 'https://example.com/'));
  await page.waitForTimeout(500);
  expect(page.url()).toBe(before);
  expect(studio.app.windows()).toHaveLength(1);
  const permission = await page.evaluate(
    () =>
      navigator.mediaDevices?.getUserMedia({ audio: true }).then(
        () => 'granted',
        (error: Error) => error.name,
      ) ?? 'absent',
  );
  expect(permission).not.toBe('granted');
});

test('tests the devices by itself at the first start, and names what it found', async ({ studio }) => {
  const { page } = studio;
  await studio.go('#/settings');
  const panel = page.getByTestId('devices');
  const row = (name: string) => panel.getByRole('row').filter({ hasText: name });
  // A software renderer may take half a minute for a step.
  const slow = { timeout: 180_000 };
  // Nobody asked for it.
  await expect(row('CPU')).toContainText('Passed', slow);
  await expect(row('CPU')).toContainText('In use');
  await expect(panel.getByText('Checking')).toHaveCount(0, slow);
  for (const device of await studio.call('devices.list', {})) {
    expect(['passed', 'failed', 'unavailable']).toContain(device.status);
    await expect(row(device.title)).toContainText(device.reason ?? 'Passed');
  }
  await page.getByTestId('test-devices').click();
  await expect(panel.getByText('Checking devices…')).toBeVisible();
  await studio.expectAccessible('settings, while devices are tested');
  await expect(panel.getByText('Checking')).toHaveCount(0, slow);
  await expect(row('CPU')).toContainText('Passed');
  for (const theme of ['light', 'dark'] as const) {
    await studio.theme(theme);
    await studio.expectAccessible(`settings, ${theme}`);
  }
  await page.getByTestId('copy-diagnosis').click();
  await expect(page.getByText('The diagnostic report is on the clipboard.')).toBeVisible();
  const report = await studio.inMain(({ clipboard }) => clipboard.readText());
  expect(report).toContain('- cpu: passed');
  expect(report).toContain('job kind="device-test" state="done"');
  expect(report).not.toContain(studio.home);
  expect(studio.complaints).toEqual([]);
});

test('a page that crashes comes back', async ({ studio }) => {
  const heading = () =>
    studio.inMain(async ({ BrowserWindow }) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents;
      return contents && !contents.isCrashed() && !contents.isLoading()
        ? contents.executeJavaScript("document.querySelector('h1')?.textContent ?? null")
        : null;
    });
  // The first screen stands before the crash.
  await expect.poll(heading).not.toBeNull();
  const before = await heading();
  const gone = studio.page.waitForEvent('crash');
  await studio.app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer(),
  );
  await gone;
  await expect.poll(heading).toBe(before);
});

test('keeps one instance a home folder', async ({ studio }) => {
  const second = await Studio.start(studio.home).then(
    async (other) => {
      await other.close();
      return 'opened';
    },
    () => 'refused',
  );
  expect(second).toBe('refused');
  await expect(studio.page.getByRole('heading', { level: 1 })).toBeVisible();
});

test('the guided tour goes by keys alone, and the help is searched', async ({ studio }) => {
  test.setTimeout(120_000);
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  await at('start-tour').focus();
  await page.keyboard.press('Enter');
  await expect(at('tour')).toBeFocused({ timeout: 60_000 });
  await expect(at('tour')).toContainText('1 of 7');
  // The button that leaves it comes first; at the first stop there is no way back.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(at('tour')).toContainText('2 of 7');
  await expect(at('methods')).toHaveClass(/tour-target/);
  await studio.expectAccessible('the tour');
  await page.keyboard.press('Escape');
  await expect(at('tour')).toHaveCount(0);
  await studio.go('#/help');
  await at('help-search').fill('out of memor');
  await at('help-results').getByRole('link').first().click();
  await expect(at('help-text')).toContainText('accumulationSteps');
  await studio.expectAccessible('the help');
});

test('projects stand in the order in which they were open, after a restart too, and what is gone is told', async ({
  studio,
  home,
}) => {
  const { page } = studio;
  const [first, second] = [
    await studio.call('projects.create', { name: 'First' }),
    await studio.call('projects.create', { name: 'Second' }),
  ];
  const cards = (of: Studio) => of.page.getByTestId('project-card').getByRole('heading');
  await expect(cards(studio)).toHaveText(['Second', 'First']);
  await studio.go(`#/project/${first.id}/models`);
  await expect(page.getByTestId('project-picker')).toHaveValue(String(first.id));
  await studio.go('#/');
  await expect(cards(studio)).toHaveText(['First', 'Second']);
  // The window writes its storage when it is closed, as a user closes it.
  await studio.app.close();

  const again = await Studio.start(home);
  try {
    await expect(cards(again)).toHaveText(['First', 'Second']);
    await again.page.keyboard.press('Control+k');
    await again.page.keyboard.type('open');
    await expect(again.page.getByRole('option').filter({ hasText: /Open (First|Second)/ })).toHaveText([
      'Open First',
      'Open Second',
    ]);
    await again.page.keyboard.press('Escape');
    await again.call('projects.remove', { id: first.id });
    await expect(cards(again)).toHaveText(['Second']);
    await again.go(`#/project/${first.id}/models`);
    await expect(again.page.getByText('There is no project with this number')).toBeVisible();
    expect(second.id).not.toBe(first.id);
  } finally {
    await again.close();
  }
});
