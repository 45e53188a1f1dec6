/**
 * `npm run make-starter [-- samples|vocabulary|pretrain] [OPTIONS]`: runs a TypeScript script of this folder in plain
 * Node; without a name the pretraining of the starter model. Options go to the script.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { root } from '../tools.mjs';

const scripts = ['samples', 'vocabulary', 'pretrain'];
const named = scripts.find((script) => script === process.argv[2]);
const name = named ?? 'pretrain';
const outfile = path.join(root, 'dist', 'make-starter', `${name}.mjs`);
await mkdir(path.dirname(outfile), { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: [`electron/dev/make-starter/${name}.ts`],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.18',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
});
process.argv.splice(1, named === undefined ? 1 : 2, outfile);
process.chdir(root);
// The runtime would report to its maker otherwise.
process.env.ORT_DISABLE_TELEMETRY = '1';
await import(pathToFileURL(outfile).href);
