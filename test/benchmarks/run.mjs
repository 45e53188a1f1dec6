// Bundles a benchmark and runs it with the given options: `npm run bench -- --rounds 3` of training, `npm run bench -- methods …`,
// `npm run bench -- generation …`, `npm run bench -- import`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');
const [first, ...rest] = process.argv.slice(2);
const own = ['methods', 'generation', 'import'].includes(first);
const [name, options] = own ? [first, rest] : ['bench', process.argv.slice(2)];
const outfile = join(root, 'dist', 'bench', `${name}.mjs`);
await build({
  entryPoints: [join(import.meta.dirname, `${name}.ts`)],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  logLevel: 'warning',
});
// The runtime would report to its maker otherwise.
process.env.ORT_DISABLE_TELEMETRY = '1';
process.exitCode = spawnSync(process.execPath, [outfile, ...options], { stdio: 'inherit' }).status ?? 1;
