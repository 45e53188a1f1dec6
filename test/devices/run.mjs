// Where each method's training step runs on a graphics device: `npm run placement [-- DEVICE [TYPE,TYPE]]`, WebGPU where none is named.
// Without a graphics card, on Linux: `npm run placement -- software` draws in software (SwiftShader, which lies beside Electron).
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');
const bundle = async (entry, name) => {
  const outfile = join(root, 'dist', 'devices', name);
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  return outfile;
};
const [device = 'webgpu', ...rest] = process.argv.slice(2);
const software = device === 'software';
const { softwareGpu } = software ? await import(await bundle('test/helpers/software-gpu.ts', 'software-gpu.mjs')) : {};
const program = await bundle('test/devices/placement.ts', 'placement.mjs');
process.exitCode =
  spawnSync(process.execPath, [program, software ? 'webgpu' : device, ...rest], {
    stdio: 'inherit',
    // The runtime would report to its maker otherwise.
    env: { ...process.env, ORT_DISABLE_TELEMETRY: '1', ...(await softwareGpu?.()) },
  }).status ?? 1;
