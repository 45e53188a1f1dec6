/** An installed app, started as a user starts it and driven from outside over the DevTools protocol: its fuses let nothing else in. */
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium } from '@playwright/test';

/** As root the app runs as the user "nobody": with Chromium's sandbox, and with no more rights than anybody has. */
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;
const asUser = isRoot ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : [];
const seconds = (started) => (Date.now() - started) / 1000;

/** A folder that the app's user may write to. */
export function userFolder(prefix) {
  const folder = mkdtempSync(path.join(tmpdir(), prefix));
  give(folder);
  return folder;
}

/** Hands a folder with all in it to the app's user. */
export function give(folder) {
  if (!isRoot) return;
  chownSync(folder, NOBODY, NOBODY);
  execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, folder]);
}

/** The environment of a fresh account: its own home, and the run-time folder that a desktop session has. */
export function account(env) {
  const root = userFolder('peft-studio-account-');
  const home = path.join(root, 'home');
  const [runtime, temporary] = [path.join(root, 'run'), path.join(root, 'tmp')];
  for (const folder of [home, runtime, temporary]) mkdirSync(folder, { mode: 0o700 });
  give(root);
  const { PEFT_STUDIO_HOME: _own, ...rest } = env;
  return { root, home, env: { ...rest, HOME: home, XDG_RUNTIME_DIR: runtime, TMPDIR: temporary } };
}

/** Every file below a folder, from there. */
export const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();

/**
 * What an app or a command left in the account outside its home: temporary files, or something in the session's folder. GTK keeps a note
 * of its own there in any program with a window.
 */
export const leftBeside = ({ root }) =>
  readdirSync(root, { recursive: true }).filter(
    (name) => !/^home(\/|$)/.test(name) && !['tmp', 'run', 'run/dconf', 'run/dconf/user'].includes(name),
  );

/** Runs a program as the app's user. @returns {{code: number, stdout: string, stderr: string}} */
export function runAsUser(program, args, env) {
  const [command, ...words] = [...asUser, program, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { env, cwd: env.HOME, stdio: ['ignore', 'pipe', 'pipe'] });
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) child[name].on('data', (chunk) => (text[name] += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, ...text }));
  });
}

/** Polls until `read` gives something. */
export async function until(what, read, limitSeconds = 120) {
  for (const started = Date.now(); seconds(started) < limitSeconds;) {
    const value = await read();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what}: not within ${limitSeconds} s`);
}

export class InstalledApp {
  /** @param {string} program @param {NodeJS.ProcessEnv} env @param {readonly string[]} [args] */
  static async start(program, env, args = []) {
    const started = Date.now();
    const [command, ...words] = [...asUser, program, '--remote-debugging-port=0', ...args];
    const child = spawn(command, words, { env, cwd: env.HOME, stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
    const address = await new Promise((resolve, reject) => {
      let text = '';
      child.stderr.on('data', (chunk) => {
        text += chunk;
        const found = /DevTools listening on (ws:\S+)/.exec(text);
        if (found) resolve(found[1]);
      });
      child.on('error', reject);
      void ended.then((code) => reject(new Error(`${program} ended at once (${code}):\n${text.slice(-2000)}`)));
    });
    const browser = await chromium.connectOverCDP(address);
    const [context] = browser.contexts();
    const page = context.pages()[0] ?? (await context.waitForEvent('page'));
    await page.locator('main h1').first().waitFor();
    return new InstalledApp(child, ended, browser, page, seconds(started));
  }

  constructor(child, ended, browser, page, secondsToWindow) {
    Object.assign(this, { child, ended, browser, page, secondsToWindow });
  }

  /** What the page itself would call. @throws {Error} with the problem's message */
  async call(name, input = {}) {
    const answer = await this.page.evaluate(([called, request]) => window.studio.call(called, request), [name, input]);
    if (!answer.ok) throw new Error(`${name}: ${answer.problem.message}`);
    return answer.value;
  }

  /** Ends the app as a session's end does it. */
  async stop() {
    await this.browser.close().catch(() => undefined);
    this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), 20_000);
    const code = await this.ended;
    clearTimeout(late);
    if (code !== 0 && code !== 143) throw new Error(`The app ended with ${code}.`);
  }
}

/** Ends every process that works with `folder` as its home, and waits for their end; of others none. */
export const endProcessesOf = (folder) => until('the end of all processes', () => askToEnd(folder) === 0);

/** @returns {number} how many were asked */
function askToEnd(folder) {
  let asked = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(`HOME=${folder}`)) continue;
      process.kill(Number(name), 'SIGTERM');
      asked += 1;
    } catch {
      // It ended meanwhile.
    }
  }
  return asked;
}
