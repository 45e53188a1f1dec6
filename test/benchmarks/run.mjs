// Bundles a benchmark and runs it with the given options: `npm run bench -- --rounds 3` of training, `npm run bench -- methods …`,
// `npm run bench -- generation …`, `npm run bench -- import`.
import { spawnSync } from 'node:child_process';
import { bundleScript } from '../helpers/bundle.mjs';

const [first, ...rest] = process.argv.slice(2);
const own = ['methods', 'generation', 'import'].includes(first);
const [name, options] = own ? [first, rest] : ['bench', process.argv.slice(2)];
const outfile = await bundleScript(`test/benchmarks/${name}.ts`, `bench/${name}.mjs`);
// The runtime would report to its maker otherwise.
process.env.ORT_DISABLE_TELEMETRY = '1';
process.exitCode = spawnSync(process.execPath, [outfile, ...options], { stdio: 'inherit' }).status ?? 1;
