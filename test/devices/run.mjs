// Where each method's training step runs on a graphics device: `npm run placement [-- DEVICE [TYPE,TYPE]]`, WebGPU where none is named.
// Without a graphics card, on Linux: `npm run placement -- software` draws in software (SwiftShader, which lies beside Electron).
import { spawnSync } from 'node:child_process';
import { bundleScript } from '../helpers/bundle.mjs';

const [device = 'webgpu', ...rest] = process.argv.slice(2);
const software = device === 'software';
const { softwareGpu } = software
  ? await import(await bundleScript('test/helpers/software-gpu.ts', 'devices/software-gpu.mjs'))
  : {};
const program = await bundleScript('test/devices/placement.ts', 'devices/placement.mjs');
process.exitCode =
  spawnSync(process.execPath, [program, software ? 'webgpu' : device, ...rest], {
    stdio: 'inherit',
    // The runtime would report to its maker otherwise.
    env: { ...process.env, ORT_DISABLE_TELEMETRY: '1', ...(await softwareGpu?.()) },
  }).status ?? 1;
