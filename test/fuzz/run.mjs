// Bundles and starts a fuzzing session over the readers: `npm run fuzz -- [--count N] [--seed S] [--reader NAME] [--only SEED]`.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundlePrograms } from '../helpers/bundle.mjs';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'dist', `fuzz-${process.pid}`);
try {
  await bundlePrograms({ session: 'test/fuzz/session.ts', child: 'test/fuzz/child.ts' }, folder);
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
