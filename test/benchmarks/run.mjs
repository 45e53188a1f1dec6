// Bundles a benchmark and runs it with the given options: `npm run bench -- --rounds 3` of training, `npm run bench -- methods …`,
// `npm run bench -- generation …`, `npm run bench -- import`, `npm run bench -- target …`, `npm run bench -- steps …`,
// `npm run bench -- levers …`, `npm run bench -- batches …`, `npm run bench -- tokens …`, `npm run bench -- unrolled …`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bundlePrograms, bundleScript } from '../helpers/bundle.mjs';

const [first, ...rest] = process.argv.slice(2);
const own = ['methods', 'generation', 'import', 'target', 'steps', 'levers', 'batches', 'tokens', 'unrolled'].includes(
  first,
);
const [name, options] = own ? [first, rest] : ['bench', process.argv.slice(2)];
const outfile = await bundleScript(`test/benchmarks/${name}.ts`, `bench/${name}.mjs`);
// Whole jobs are timed with the command as users have it.
if (['target', 'steps'].includes(name))
  await bundlePrograms(
    { cli: 'electron/cli/main.ts', trainer: 'electron/trainer/main.ts' },
    join(import.meta.dirname, '..', '..', 'dist', 'bench-command'),
  );
// The runtime would report to its maker otherwise.
process.env.ORT_DISABLE_TELEMETRY = '1';
process.exitCode = spawnSync(process.execPath, [outfile, ...options], { stdio: 'inherit' }).status ?? 1;
