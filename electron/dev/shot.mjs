/**
 * Pictures of the real app, for people who work on it:
 * `node electron/dev/shot.mjs [--theme light|dark] [--route '#/help'] [--home DIR] [--size 1440x900] [--wait MS] [--run 'expression in the page'] OUT.png`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildAll } from './build.mjs';
import { openDisplay } from './display.mjs';
import { prepare } from './prepare.mjs';
import { fail, root } from './tools.mjs';

async function shoot() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      theme: { type: 'string', default: 'light' },
      route: { type: 'string', default: '' },
      home: { type: 'string' },
      size: { type: 'string', default: '1440x900' },
      wait: { type: 'string', default: '800' },
      run: { type: 'string' },
    },
  });
  const [out] = positionals;
  if (!out) throw new Error('Name the picture: node electron/dev/shot.mjs OUT.png');
  const { electron: executablePath } = await prepare({ display: true });
  await buildAll();
  const { _electron } = await import('@playwright/test');
  const display = await openDisplay();
  const home = values.home ?? (await mkdtemp(path.join(tmpdir(), 'peft-studio-shot-')));
  const app = await _electron.launch({
    executablePath,
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), root],
    colorScheme: values.theme,
    env: { ...display.env, PEFT_STUDIO_HOME: home },
  });
  try {
    const page = await app.firstWindow();
    page.on(
      'console',
      (message) => ['error', 'warning'].includes(message.type()) && process.stderr.write(`page: ${message.text()}\n`),
    );
    page.on('pageerror', (error) => process.stderr.write(`page: ${error.stack ?? error.message}\n`));
    const [width, height] = values.size.split('x').map(Number);
    await app.evaluate(
      ({ BrowserWindow, nativeTheme }, [theme, w, h]) => {
        nativeTheme.themeSource = theme;
        BrowserWindow.getAllWindows()[0]?.setContentSize(w, h);
      },
      [values.theme, width, height],
    );
    if (values.route) await page.evaluate((route) => void (location.hash = route), values.route);
    if (values.run) process.stderr.write(`${JSON.stringify(await page.evaluate(values.run))}\n`);
    await page.waitForTimeout(Number(values.wait));
    await page.screenshot({ path: out });
  } finally {
    await app.evaluate(({ app: electronApp }) => electronApp.exit(0)).catch(() => undefined);
    await app.close().catch(() => undefined);
    display.stop();
    if (!values.home) await rm(home, { recursive: true, force: true });
  }
}

shoot().catch(fail);
