/** System libraries that Electron needs on Linux, and a display for tests. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { PrepareError, runCommand, say } from './tools.mjs';

/** What Electron's window needs on Debian and Ubuntu; newer releases name some of them with a `t64` suffix. */
const windowPackages = [
  'libgtk-3-0', 'libnss3', 'libxss1', 'libasound2', 'libgbm1', 'libxtst6', 'libnotify4', 'libsecret-1-0', 'xdg-utils', 'libatspi2.0-0',
]; // prettier-ignore

const isDebian = () => existsSync('/etc/debian_version');
const isRoot = () => process.getuid?.() === 0;

/** Newer releases renamed libraries for 64-bit times; the old name then has no package of its own. */
async function availableNames(names) {
  return Promise.all(
    names.map(async (name) => {
      const found = await runCommand('apt-cache', ['show', `${name}t64`], { quiet: true });
      return found.code === 0 && found.output.includes(`Package: ${name}t64`) ? `${name}t64` : name;
    }),
  );
}

/**
 * Installs Debian packages when this process may, otherwise stops with the command that does.
 * @param {readonly string[]} names none: nothing happens
 * @throws {PrepareError}
 */
export async function installPackages(names) {
  if (names.length === 0) return;
  if (!isDebian()) {
    throw new PrepareError(
      `This system lacks ${names.join(', ')} (Debian's names).`,
      'Install them with its package manager, then run this again.',
    );
  }
  if (!isRoot()) {
    throw new PrepareError(
      'This system lacks some packages.',
      `Run: sudo apt-get update && sudo apt-get install -y ${names.join(' ')}`,
    );
  }
  say(`installing ${names.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const updated = await runCommand('apt-get', ['update', '-qq'], { env, quiet: true });
  const chosen = await availableNames(names);
  const installed = await runCommand('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...chosen], {
    env,
    quiet: true,
  });
  if (installed.code !== 0) {
    throw new PrepareError(
      `apt-get could not install ${chosen.join(' ')}:\n${(updated.code === 0 ? '' : updated.output) + installed.output.split('\n').slice(-10).join('\n')}`,
      'Mend that, then run this again.',
    );
  }
}

/**
 * Makes an Electron program find its shared libraries.
 * @param {string} executable
 * @throws {PrepareError}
 */
export async function prepareLibraries(executable) {
  if (process.platform !== 'linux') return;
  const missing = await missingLibraries(executable);
  if (missing.length === 0) return;
  await installPackages(windowPackages);
  const still = await missingLibraries(executable);
  if (still.length > 0)
    throw new PrepareError(
      `Electron still misses ${still.join(', ')}.`,
      'Install the packages that hold them, then run this again.',
    );
}

async function missingLibraries(executable) {
  const { code, output } = await runCommand('ldd', [executable], { quiet: true });
  if (code !== 0) return [];
  return [...output.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1]);
}

/** Makes the virtual display of tests present. @throws {PrepareError} */
export async function prepareDisplay() {
  if (process.platform !== 'linux' || process.env.DISPLAY) return;
  if (!onPath('Xvfb')) await installPackages(['xvfb']);
}

/** @param {string} command @returns {boolean} */
export function onPath(command) {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .some((folder) => folder !== '' && existsSync(path.join(folder, command)));
}
