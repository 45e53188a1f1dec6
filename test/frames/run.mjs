// Bundles and runs the measuring of frames: `npm run frames -- [--points N] [--runs N] [--rows N] [--home DIR]`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildAll } from '../../electron/dev/build.mjs';
import { openDisplay } from '../../electron/dev/display.mjs';
import { prepare } from '../../electron/dev/prepare.mjs';
import { bundleScript } from '../helpers/bundle.mjs';

await prepare({ window: true, display: true });
await buildAll();
const display = await openDisplay();
const outfile = await bundleScript('test/frames/main.ts', 'frames/main.mjs');
process.exitCode =
  spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], {
    cwd: join(import.meta.dirname, '..', '..'),
    stdio: 'inherit',
    env: display.env,
  }).status ?? 1;
display.stop();
