/** `npm start`: prepares, builds and opens the studio. Arguments after `--` go to Electron. */
import { spawn } from 'node:child_process';
import { buildAll } from './build.mjs';
import { lacksDisplay, openDisplay } from './display.mjs';
import { prepare } from './prepare.mjs';
import { fail, isMain, root, say } from './tools.mjs';

/**
 * Opens the built studio; where there is no display, on a virtual one, as the tests do.
 * @param {string} electron
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<import('node:child_process').ChildProcess>}
 */
export async function openStudio(electron, args, env) {
  const words = [root, ...args];
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    say(
      "Chromium's sandbox does not run as root: starting without it. Use an ordinary account for anything but trials.",
    );
    words.unshift('--no-sandbox');
  }
  const display = lacksDisplay(env) ? await openDisplay(env) : null;
  if (display)
    say(
      `There is no display here: the window opens on a virtual one (DISPLAY=${display.env.DISPLAY}), where nobody sees it. Start the studio from a desktop, or use it without a window: npx --no-install peft-studio help`,
    );
  const child = spawn(electron, words, { stdio: 'inherit', env: display?.env ?? env });
  child.on('exit', () => display?.stop());
  return child;
}

async function start() {
  const { electron } = await prepare({ display: lacksDisplay(process.env) });
  await buildAll();
  const child = await openStudio(electron, process.argv.slice(2), process.env);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal ? 1 : 0);
  });
}

if (isMain(import.meta.url)) start().catch(fail);
