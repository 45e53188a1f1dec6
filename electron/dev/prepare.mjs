/**
 * Makes a checkout ready to run after `npm ci`, which runs no package's scripts on purpose.
 * Does nothing, quickly, when nothing is missing. `node electron/dev/prepare.mjs [--headless] [--display] [--retry-electron]`
 */
import { prepareElectron } from './electron-binary.mjs';
import { prepareSqlite } from './sqlite-binding.mjs';
import { prepareDisplay, prepareLibraries } from './system.mjs';
import { fail, isMain, say } from './tools.mjs';

/**
 * @param {{window?: boolean, display?: boolean, retryElectron?: boolean}} [options] `window`: with Electron; `display`: with a virtual display for tests
 * @returns {Promise<{electron: string | null}>} Path of the Electron program.
 */
export async function prepare({ window = true, display = false, retryElectron = false } = {}) {
  await prepareSqlite();
  if (!window) return { electron: null };
  const electron = await prepareElectron({ retry: retryElectron });
  await prepareLibraries(electron);
  if (display) await prepareDisplay();
  return { electron };
}

if (isMain(import.meta.url)) {
  const has = (flag) => process.argv.includes(flag);
  prepare({ window: !has('--headless'), display: has('--display'), retryElectron: has('--retry-electron') }).then(
    ({ electron }) => say(electron ? `ready; Electron is ${electron}` : 'ready'),
    fail,
  );
}
