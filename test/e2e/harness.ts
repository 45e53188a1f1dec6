/** Starts the built app as a user would, with a home folder of its own, and looks at it from outside. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, errors, expect, test as base, type ElectronApplication, type Page } from '@playwright/test';
import { z } from 'zod';
import {
  calls,
  problemSchema,
  type Bridge,
  type CallInput,
  type CallName,
  type CallOutput,
} from '../../electron/contract/index.js';
import { openDisplay } from '../../electron/dev/display.mjs';
import { prepareElectron } from '../../electron/dev/electron-binary.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);
const answerSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), problem: problemSchema }),
]);

declare global {
  interface Window {
    readonly studio?: Bridge;
  }
}

/**
 * Starts the app. Node's inspector now and then forgets the promise of an answer that Playwright waits for while it attaches: the app
 * runs, and the start would never end. Then, and then only, it is started once more.
 */
async function launched(options: Parameters<typeof _electron.launch>[0]): Promise<ElectronApplication> {
  try {
    return await _electron.launch({ ...options, timeout: 60_000 });
  } catch (error) {
    if (!(error instanceof errors.TimeoutError)) throw error;
    return _electron.launch(options);
  }
}

/** One running app and its page. */
export class Studio {
  /** What the page reported as broken: errors, and anything the content security policy refused. */
  readonly complaints: string[] = [];
  /** Resolves when the process is gone, which a broken connection does not tell: it has files open until then. */
  readonly ended: Promise<void>;

  private constructor(
    readonly app: ElectronApplication,
    readonly page: Page,
    readonly home: string,
  ) {
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    this.ended = new Promise((resolve) => app.process().once('exit', () => resolve()));
  }

  /**
   * @param home where database and files are, or come to be
   * @param switches more of Chromium's
   * @param environment more of the environment
   * @param files that the app is asked to open
   */
  static async start(
    home: string,
    switches: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
    files: readonly string[] = [],
  ): Promise<Studio> {
    // Chromium's sandbox cannot be set up by root; CI runs as root, users do not.
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const env = Object.fromEntries(
      Object.entries({ ...process.env, PEFT_STUDIO_HOME: home, ...environment }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      ),
    );
    const app = await launched({
      executablePath: await prepareElectron(),
      // The tests read the window's English whatever this computer speaks.
      args: [...sandbox, '--lang=en-US', ...switches, root, ...files],
      env,
      colorScheme: null,
    });
    const page = await app.firstWindow();
    await page.waitForLoadState('domcontentloaded');
    return new Studio(app, page, home);
  }

  /** Calls the studio from the page, as the page itself does; the answer is checked by the contract. */
  async call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> {
    const answer = answerSchema.parse(
      await this.page.evaluate(`window.studio.call(${JSON.stringify(name)}, ${JSON.stringify(input)})`),
    );
    if (!answer.ok) throw new Error(`${answer.problem.code}: ${answer.problem.message}`);
    return calls[name].output.parse(answer.value) as CallOutput<N>; // parsed by this very schema
  }

  /**
   * Runs a function in the main process that may run twice: Node's inspector now and then forgets the promise of an answer
   * when memory is collected while it is on its way.
   */
  async inMain<R, A>(work: Parameters<typeof this.app.evaluate<R, A>>[0], argument?: A): Promise<R> {
    const once = () => this.app.evaluate<R, A>(work, argument as A);
    return once().catch((error: unknown) => {
      if (!String(error).includes('promise was garbage collected')) throw error;
      return once();
    });
  }

  /** The answer of the system's next file dialogs: what a user would choose there. */
  async choose(chosen: string): Promise<void> {
    await this.inMain(({ dialog }, file) => {
      dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [file] });
      dialog.showSaveDialog = async () => ({ canceled: false, filePath: file });
    }, chosen);
  }

  async go(route: string): Promise<void> {
    await this.page.evaluate((hash) => void (location.hash = hash), route);
  }

  async picture(name: string): Promise<void> {
    await this.page.screenshot({ path: path.join(root, 'test-results', 'pictures', `${name}.png`) });
  }

  /** A picture of the page and axe's findings, in both themes. */
  async looked(name: string, what: string): Promise<void> {
    // A data set's rows are counted by a process of their own.
    const lengths = this.page.getByTestId('lengths');
    if ((await lengths.count()) > 0)
      await expect(lengths.getByRole('img')).toHaveAttribute('aria-label', /./, { timeout: 60_000 });
    for (const theme of ['dark', 'light'] as const) {
      await this.theme(theme);
      await this.picture(`${name}-${theme}`);
      await this.expectAccessible(`${what}, ${theme}`);
    }
    await this.expectCharts(what);
  }

  /** Fails on any axe finding of the page as it stands, in the theme it has. */
  async expectAccessible(what: string): Promise<void> {
    // A colour on its way from one theme to the other is neither's.
    await this.page.evaluate(async () => {
      const moving = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
      await Promise.allSettled(moving.map(({ finished }) => finished));
    });
    const axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');
    // Evaluated, not added as a script: the page's policy would refuse that.
    await this.page.evaluate(`if (!window.axe) { ${axe} }`);
    const findings = await this.page.evaluate(async () => {
      const { axe: runner } = window as unknown as {
        axe: {
          run(): Promise<{
            violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[];
          }>;
        };
      };
      const { violations } = await runner.run();
      return violations.map(
        ({ id, help, nodes }) =>
          `${id}: ${help}\n${nodes
            .slice(0, 4)
            .map((node) => `    ${node.html.slice(0, 200)}\n    ${node.failureSummary ?? ''}`)
            .join('\n')}`,
      );
    });
    expect(findings, `axe on ${what}`).toEqual([]);
  }

  /** Fails on a picture of the page as it stands without words for who does not see it, and on a chart without a table by the keyboard. */
  async expectCharts(what: string): Promise<void> {
    const mute = await this.page.locator('main').evaluateAll((mains) =>
      mains
        .flatMap((main) => Array.from(main.querySelectorAll('canvas, svg')))
        .filter((picture) => !picture.closest('[aria-hidden="true"], [role="img"][aria-label]'))
        .map((picture) => picture.parentElement?.outerHTML.slice(0, 200)),
    );
    expect(mute, `pictures without words on ${what}`).toEqual([]);
    const charts = this.page.locator('main .chart:has(> .tools)');
    // Charts are drawn one after another, and may come between two counts.
    await expect(async () => {
      expect(await this.page.locator('main canvas').count(), `${what}: charts in their frames`).toBe(
        await charts.locator('canvas').count(),
      );
    }).toPass({ timeout: 15_000 });
    const count = (await this.page.locator('dialog[open]').count()) > 0 ? 0 : await charts.count();
    for (let i = 0; i < count; i += 1) {
      // A chart of what still goes on may be drawn anew meanwhile.
      await expect(async () => {
        const frame = charts.nth(i);
        const table = frame.getByRole('region');
        if (await table.isVisible()) await table.press('Escape');
        const name = await frame.getByRole('img').getAttribute('aria-label', { timeout: 5000 });
        expect(name, `a chart's words on ${what}`).toMatch(/^\p{L}.{8,}[.:]/u);
        await frame.getByRole('img').focus();
        await this.page.keyboard.press('t');
        await expect(table).toBeFocused();
        expect(await frame.locator('tbody tr').count(), `the table behind "${name}"`).toBeGreaterThan(0);
        expect((await frame.locator('th').allTextContents()).filter(Boolean).length).toBeGreaterThan(1);
        await this.page.keyboard.press('Escape');
        await expect(frame.getByRole('img')).toBeFocused();
      }).toPass({ timeout: 60_000 });
    }
  }

  async theme(theme: 'light' | 'dark'): Promise<void> {
    await this.inMain(({ nativeTheme }, source) => void (nativeTheme.themeSource = source), theme);
    await this.page.waitForFunction(
      (dark) => matchMedia('(prefers-color-scheme: dark)').matches === dark,
      theme === 'dark',
    );
  }

  /** Ends the app by its own way out; what runs is stopped by the shell. */
  async close(): Promise<void> {
    await this.app.evaluate(({ app }) => app.exit(0)).catch(() => undefined);
    await this.app.close().catch(() => undefined);
    await this.ended;
  }

  /** Closes the window as a user does, where the app ends by it, and waits for that end. */
  async closeWindow(): Promise<void> {
    await this.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
    await this.ended;
  }

  /** kill -9 of the whole app, as a power cut does it. */
  async kill(): Promise<void> {
    this.app.process().kill('SIGKILL');
    await this.ended;
  }
}

/** Each test gets a fresh home folder and an app on it; each worker a display, where there is none. */
export const test = base.extend<{ home: string; studio: Studio }, { display: void }>({
  display: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the pattern
    async ({}, use) => {
      const display = await openDisplay();
      if (display.env['DISPLAY'] !== undefined) process.env['DISPLAY'] = display.env['DISPLAY'];
      await use();
      display.stop();
    },
    { scope: 'worker', auto: true },
  ],
  // eslint-disable-next-line no-empty-pattern -- Playwright reads the pattern
  home: async ({}, use) => {
    const home = await mkdtemp(path.join(tmpdir(), 'peft-studio-e2e-'));
    await use(home);
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  },
  studio: async ({ home }, use) => {
    const studio = await Studio.start(home);
    await use(studio);
    await studio.close();
  },
});
export { expect };
