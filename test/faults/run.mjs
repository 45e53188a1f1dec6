// Bundles the faults and strikes: `npm run faults -- [--count N] [--seed S] [--only KIND] [--work WORK]`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildAll } from '../../electron/dev/build.mjs';
import { openDisplay } from '../../electron/dev/display.mjs';
import { prepare } from '../../electron/dev/prepare.mjs';
import { bundleScript } from '../helpers/bundle.mjs';

const root = join(import.meta.dirname, '..', '..');
// The whole app is struck too, where there is one to be had; `--only` may leave it out.
const only = process.argv.find((word, at) => process.argv[at - 1] === '--only');
const window = !only || only.split(',').includes('kill-app');
await prepare({ window, display: window });
if (window) await buildAll();
const display = window ? await openDisplay() : { env: process.env, stop: () => {} };
const outfile = await bundleScript('test/faults/main.ts', 'faults/main.mjs');
const options = { cwd: root, stdio: 'inherit', env: display.env };
process.exitCode = spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], options).status ?? 1;
display.stop();
