/** AppImages for the update's test: made of the built one, with a release feed on loopback and the next version's number. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, rmSync, writeFileSync, appendFileSync, chmodSync } from 'node:fs';
import path from 'node:path';

/** Where the file system begins behind the runtime. */
function imageOffset(file) {
  const head = Buffer.alloc(2 * 1024 * 1024);
  const handle = openSync(file, 'r');
  readSync(handle, head, 0, head.length, 0);
  closeSync(handle);
  for (let at = head.indexOf('hsqs'); at >= 0; at = head.indexOf('hsqs', at + 1)) {
    try {
      execFileSync('unsquashfs', ['-s', '-offset', String(at), file], { stdio: 'ignore' });
      return at;
    } catch {
      // Letters of the runtime itself.
    }
  }
  throw new Error(`${file} holds no file system.`);
}

/** Unpacks an AppImage. @returns {{folder: string, runtime: Buffer}} */
export function unpackImage(file, folder) {
  const offset = imageOffset(file);
  execFileSync('unsquashfs', ['-q', '-n', '-d', folder, '-offset', String(offset), file], { stdio: 'ignore' });
  return { folder, runtime: readFileSync(file).subarray(0, offset) };
}

/** Packs a folder as an AppImage. */
export function packImage({ folder, runtime }, file) {
  const image = `${file}.squashfs`;
  // Uncompressed: it is made to be installed once.
  execFileSync(
    'mksquashfs',
    [folder, image, '-all-root', '-noappend', '-quiet', '-no-progress', '-noI', '-noD', '-noF', '-noX'],
    {
      stdio: 'ignore',
    },
  );
  writeFileSync(file, runtime);
  appendFileSync(file, readFileSync(image));
  chmodSync(file, 0o755);
  rmSync(image);
}

/** The feed's address as electron-builder would have written it. */
export function setFeed(folder, url) {
  writeFileSync(
    path.join(folder, 'resources', 'app-update.yml'),
    `provider: generic\nurl: ${url}\nupdaterCacheDirName: peft-studio-updater\n`,
  );
}

/** Gives the app in an unpacked image another version of equal length; nothing else in its archive moves. */
export function setVersion(folder, from, to) {
  const archive = path.join(folder, 'resources', 'app.asar');
  const content = readFileSync(archive);
  const [old, next] = [from, to].map((version) => Buffer.from(`"version": "${version}"`));
  const at = content.indexOf(old, content.indexOf('"name": "peft-studio"'));
  if (at < 0 || old.length !== next.length) throw new Error(`${archive} does not say version ${from}.`);
  next.copy(content, at);
  rmSync(archive);
  writeFileSync(archive, content);
}
