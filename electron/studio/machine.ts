/** What decides whether a device computes rightly and how fast: when this changes, devices are tested anew. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { arch, availableParallelism, cpus, release } from 'node:os';
import { join } from 'node:path';
import { runtimeIdentity } from '../engine/index.js';

/** Environment that chooses graphics drivers or cards. */
const variables = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES', 'VK_ADD_DRIVER_FILES', 'CUDA_VISIBLE_DEVICES'];
/** Where Vulkan drivers of Linux describe themselves. */
const driverFolders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d'];
const WINDOWS_DISPLAY_CLASS = String.raw`HKLM\SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}`;

const list = async (folder: string) => (await readdir(folder).catch(() => [])).sort();
const text = async (file: string) => (await readFile(file, 'utf8').catch(() => '')).trim();

/** Output of a program of the system; empty where it cannot be had. */
const output = (program: string, words: readonly string[]) =>
  new Promise<string>((resolve) => {
    execFile(program, words, { timeout: 5000, windowsHide: true }, (error, found) => resolve(error ? '' : found));
  });

/** Graphics cards and their drivers as the system knows them, without starting any. */
async function graphics(): Promise<string[]> {
  switch (process.platform) {
    case 'win32':
      return Promise.all(
        ['DriverDesc', 'DriverVersion'].map((fact) =>
          output('reg', ['query', WINDOWS_DISPLAY_CLASS, '/s', '/v', fact]),
        ),
      );
    case 'darwin':
      return [await output('sysctl', ['-n', 'hw.model'])];
    default: {
      const cards = (await list('/sys/class/drm')).filter((name) => /^card\d+$/.test(name));
      const ids = cards.flatMap((card) =>
        ['vendor', 'device', 'driver/module/version'].map((fact) => text(join('/sys/class/drm', card, 'device', fact))),
      );
      const drivers = driverFolders.map(async (folder) => {
        const files = (await list(folder)).map(async (name) => `${name} ${(await stat(join(folder, name))).mtimeMs}`);
        return (await Promise.all(files)).join();
      });
      return Promise.all([...ids, ...drivers, text('/proc/driver/nvidia/version')]);
    }
  }
}

/** One line that is the same as long as runtime, app, processor, graphics cards and drivers are. */
export async function machineKey(appVersion: string): Promise<string> {
  const facts = {
    app: appVersion,
    runtime: runtimeIdentity(),
    system: [process.platform, arch(), release()],
    processor: [cpus()[0]?.model ?? '', availableParallelism()],
    graphics: await graphics(),
    environment: variables.map((name) => process.env[name] ?? ''),
  };
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}
