/**
 * `npm run package [-- TARGET… | --dir]`: builds the installers of this platform into release/ (AppImage, deb, rpm, tar.gz on Linux; nsis,
 * portable on Windows; dmg, zip on macOS), as electron-builder.yml declares them. `--dir` leaves it at the unpacked app.
 * PEFT_STUDIO_FEED: address of the release feed that the app asks for new versions; without it the app knows none.
 * PEFT_STUDIO_HOMEPAGE: address of the project, told by deb, rpm and the Windows installer.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { buildAll } from '../build.mjs';
import { republishedElectron } from '../electron-binary.mjs';
import { prepare } from '../prepare.mjs';
import { fail, isMain, PrepareError, root, say } from '../tools.mjs';
import { writeLicences } from './licences.mjs';
import { offlineTools } from './offline-tools.mjs';

export const releaseFolder = path.join(root, 'release');

/** electron-builder makes no deb or rpm without an address of the project; `about:blank` is nobody's. */
const homepage = process.env.PEFT_STUDIO_HOMEPAGE || (process.platform === 'linux' ? 'about:blank' : null);

/** @returns {import('electron-builder').Configuration['publish']} @throws {PrepareError} */
function feed(address = process.env.PEFT_STUDIO_FEED) {
  if (!address) return null;
  if (!/^https:\/\/|^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(address))
    throw new PrepareError(`PEFT_STUDIO_FEED is ${address}.`, 'A release feed is an https address.');
  return { provider: 'generic', url: address };
}

/**
 * @param {{targets?: readonly string[], output?: string}} [options] `targets` empty: all of electron-builder.yml; ['dir']: unpacked only.
 * @returns {Promise<string[]>} The files made.
 * @throws {PrepareError}
 */
export async function makePackages({ targets = [], output = releaseFolder } = {}) {
  const { electron } = await prepare();
  const republished = republishedElectron(electron);
  const { version } = JSON.parse(await readFile(path.join(root, 'node_modules', 'electron', 'package.json'), 'utf8'));
  if (republished) {
    say(`packaging with the republished Electron ${republished.version}: for trials, never for a release`);
    Object.assign(process.env, await offlineTools());
  }
  await buildAll();
  await writeLicences({ version: republished?.version ?? version });
  const { build, Platform } = await import('electron-builder');
  // Native parts are this machine's: no other platform's installers can be made here.
  return build({
    projectDir: root,
    targets: Platform.current().createTarget(targets.length > 0 ? [...targets] : undefined),
    config: {
      extends: path.join(root, 'electron-builder.yml'),
      directories: { output },
      publish: feed(),
      ...(homepage ? { extraMetadata: { homepage } } : {}),
      ...(republished ? { electronDist: republished.folder, electronVersion: republished.version } : {}),
    },
    publish: 'never',
  });
}

async function main() {
  const words = process.argv.slice(2);
  const started = Date.now();
  await makePackages({ targets: words.map((word) => word.replace(/^--/, '')) });
  for (const name of (await readdir(releaseFolder)).sort()) {
    const info = await stat(path.join(releaseFolder, name));
    if (info.isFile() && /\.(AppImage|deb|rpm|gz|exe|dmg|zip)$/.test(name))
      say(`${name}: ${(info.size / 1e6).toFixed(1)} MB`);
  }
  say(`packaged in ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

if (isMain(import.meta.url)) main().catch(fail);
