/** Runs scripts of the tests that a person starts, where wanted with the built app and a display. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildAll } from '../../electron/dev/build.mjs';
import { openDisplay } from '../../electron/dev/display.mjs';
import { prepare } from '../../electron/dev/prepare.mjs';
import { bundleScript } from './bundle.mjs';

/** Bundles a script into dist/, and runs it with the words of this command to its end; its exit status becomes this one's. */
export async function runScript(entry, name, { window }) {
  await prepare({ window, display: window });
  if (window) await buildAll();
  const display = window ? await openDisplay() : { env: process.env, stop: () => {} };
  const outfile = await bundleScript(entry, name);
  const options = { cwd: join(import.meta.dirname, '..', '..'), stdio: 'inherit', env: display.env };
  process.exitCode = spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], options).status ?? 1;
  display.stop();
}
