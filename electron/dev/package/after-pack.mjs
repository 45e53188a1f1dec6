/** Looks at what electron-builder put together before it is wrapped: nothing too much, nothing missing. */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { listPackage } from '@electron/asar';
import { unbundled } from './shipped.mjs';

/** @param {{appOutDir: string, packager: {getResourcesDir(folder: string): string}}} context @throws {Error} naming what is wrong */
export default async function afterPack({ appOutDir, packager }) {
  const resources = packager.getResourcesDir(appOutDir);
  // An Electron given by its folder leaves its launcher and its version file behind.
  await rm(path.join(resources, 'default_app.asar'), { force: true });
  await rm(path.join(appOutDir, 'version'), { force: true });

  const files = listPackage(path.join(resources, 'app.asar'), { isPack: false }).map((file) =>
    file.split(path.sep).join('/'),
  );
  const packages = new Set(
    files.flatMap((file) => /^\/node_modules\/((?:@[^/]+\/)?[^/@][^/]*)\/package\.json$/.exec(file)?.[1] ?? []),
  );
  const strange = [...packages].filter(
    (name) => !unbundled.includes(name) && !name.startsWith('@anush008/tokenizers-'),
  );
  const missing = unbundled.filter((name) => !packages.has(name));
  if (strange.length > 0 || missing.length > 0)
    throw new Error(
      `The packed node_modules are not those of electron/dev/package/shipped.mjs: ${[...strange.map((name) => `${name} too much`), ...missing.map((name) => `${name} missing`)].join(', ')}.`,
    );
  for (const file of [
    '/dist/main.cjs',
    '/dist/studio.cjs',
    '/dist/report.cjs',
    '/dist/updater.cjs',
    '/dist/preload.cjs',
    '/dist/trainer.cjs',
    '/dist/renderer/index.html',
    '/package.json',
  ])
    if (!files.includes(file)) throw new Error(`The packed app has no ${file}.`);
  const beside = await readdir(path.join(resources, 'licences'));
  for (const file of ['THIRD-PARTY.txt', 'sbom.cdx.json', 'LICENSE.txt'])
    if (!beside.includes(file)) throw new Error(`The packed app has no licences/${file}: build it by npm run package.`);
}
