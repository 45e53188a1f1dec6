/** A graphics card in software, so that WebGPU runs on every Linux machine: SwiftShader, which lies beside every Electron. */
import { access, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { prepareElectron } from '../../electron/dev/electron-binary.mjs';

/** What a process needs in its environment to find SwiftShader as its only Vulkan driver. Fetches Electron where it is missing. */
export async function softwareGpu(): Promise<Record<string, string>> {
  const folder = dirname(await prepareElectron());
  const driver = join(folder, 'vk_swiftshader_icd.json');
  await access(driver);
  return {
    VK_ICD_FILENAMES: driver,
    VK_DRIVER_FILES: driver,
    // The Vulkan loader lies there too.
    LD_LIBRARY_PATH: [folder, process.env['LD_LIBRARY_PATH']].filter(Boolean).join(delimiter),
    XDG_RUNTIME_DIR: await mkdtemp(join(tmpdir(), 'runtime-')),
  };
}
