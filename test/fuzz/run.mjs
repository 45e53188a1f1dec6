// Bundles and starts a fuzzing session over the readers: `npm run fuzz -- [--count N] [--seed S] [--reader NAME] [--only SEED]`.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'dist', `fuzz-${process.pid}`);
try {
  await build({
    absWorkingDir: root,
    entryPoints: ['session', 'child'].map((name) => join(import.meta.dirname, `${name}.ts`)),
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.18',
    logLevel: 'warning',
    external: ['electron', 'onnxruntime-node', 'sqlite3', '@anush008/tokenizers'],
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('url').pathToFileURL(__filename).href;" },
    loader: { '.css': 'text' },
  });
  process.exitCode =
    spawnSync(process.execPath, [join(folder, 'session.cjs'), ...process.argv.slice(2)], {
      cwd: root,
      stdio: 'inherit',
      // The runtime would report to its maker otherwise.
      env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
    }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
