/** Bundles programs of the tests and benchmarks. */
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');

/** As the app's own programs are built: packages with native parts stay outside. Into `outdir`, as NAME.cjs. */
export const bundlePrograms = (entryPoints, outdir) =>
  build({
    absWorkingDir: root,
    entryPoints,
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.18',
    logLevel: 'warning',
    external: ['electron', 'onnxruntime-node', 'sqlite3', '@anush008/tokenizers'],
    loader: { '.css': 'text' },
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('url').pathToFileURL(__filename).href;" },
  });

/** A script that takes all packages from node_modules, into dist/; answers its path. */
export async function bundleScript(entry, name) {
  const outfile = join(root, 'dist', name);
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  return outfile;
}
