/** sqlite3's native binding: the published file, this user's earlier build, or a build here. It is Node-API: one file serves Node and Electron. */
import { copyFile, mkdir, rename } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { installPackages } from './system.mjs';
import { cacheFolder, PrepareError, root, runCommand, say } from './tools.mjs';

const require = createRequire(import.meta.url);

/** A library of another C library version loads nowhere: only a child process may find out. */
const loads = async (folder) =>
  (await runCommand(process.execPath, ['-e', 'require(process.argv[1])', folder], { quiet: true })).code === 0;

async function putInPlace(from, to) {
  await mkdir(path.dirname(to), { recursive: true });
  const part = `${to}.${process.pid}.part`;
  await copyFile(from, part);
  await rename(part, to);
}

/**
 * Makes `import 'sqlite3'` work. Quick when it does already.
 * @throws {PrepareError} when no published file fits and none can be built here
 */
export async function prepareSqlite() {
  const folder = path.dirname(require.resolve('sqlite3/package.json', { paths: [root] }));
  const binding = path.join(folder, 'build', 'Release', 'node_sqlite3.node');
  if (existsSync(binding) && (await loads(folder))) return;

  const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const cached = path.join(cacheFolder, `sqlite3-${version}-${process.platform}-${process.arch}`, 'node_sqlite3.node');
  if (existsSync(cached)) {
    await putInPlace(cached, binding);
    if (await loads(folder)) return;
  }

  say(`fetching the SQLite binding (sqlite3 ${version})`);
  const prebuilt = path.join(root, 'node_modules', 'prebuild-install', 'bin.js');
  const fetched = await runCommand(process.execPath, [prebuilt, '-r', 'napi'], {
    cwd: folder,
    quiet: true,
    timeout: 60_000,
  });
  if (fetched.code !== 0 || !(await loads(folder))) await build(folder);
  await putInPlace(binding, cached);
}

async function build(folder) {
  say('no prebuilt SQLite binding can be fetched: building it, about two minutes');
  if (process.platform === 'linux') await installPackages(await missingBuildTools());
  const env = { ...process.env };
  // With headers beside the running Node nothing needs to be downloaded.
  const prefix = path.dirname(path.dirname(process.execPath));
  if (existsSync(path.join(prefix, 'include', 'node', 'node.h'))) env.npm_config_nodedir = prefix;
  const gyp = path.join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const built = await runCommand(process.execPath, [gyp, 'rebuild', '--jobs', 'max'], {
    cwd: folder,
    env,
    quiet: true,
  });
  if (built.code !== 0 || !(await loads(folder))) {
    throw new PrepareError(
      `The SQLite binding could not be built:\n${built.output.split('\n').slice(-15).join('\n')}`,
      'It needs Python 3, make and a C++ compiler (on Debian: apt-get install python3 make g++), then run this again.',
    );
  }
}

async function missingBuildTools() {
  const missing = [];
  for (const [command, name] of [
    ['python3', 'python3'],
    ['make', 'make'],
    ['g++', 'g++'],
  ]) {
    if ((await runCommand(command, ['--version'], { quiet: true })).code === 127) missing.push(name);
  }
  return missing;
}
