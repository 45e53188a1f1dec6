/**
 * Builds dist/: the programs (main, preload, trainer, command) by esbuild and the window by vite.
 * Each part is built only when its sources changed. `node electron/dev/build.mjs [--force] [--programs]`
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fail, isMain, root, say } from './tools.mjs';

const dist = path.join(root, 'dist');
/** Native packages and Electron stay what they are; everything else, ESM-only packages too, goes into the bundles. */
const external = ['electron', 'onnxruntime-node', 'sqlite3', '@anush008/tokenizers'];
/** Which packages have code in the bundles, by part: their licences are shipped with it. */
const bundledFile = (part) => `bundled-${part}.json`;
const programs = {
  main: 'electron/main.ts',
  studio: 'electron/studio-program.ts',
  preload: 'electron/preload.ts',
  trainer: 'electron/trainer/main.ts',
  cli: 'electron/cli/main.ts',
  report: 'electron/report/index.ts',
  updater: 'electron-updater',
};
/** Programs that the others import when they need them, by the words of the import: what is not read costs no start anything. */
const lateImports = { '../../report/index.js': './report.cjs', 'electron-updater': './updater.cjs' };

const parts = [
  {
    name: 'programs',
    sources: ['electron', 'package-lock.json'],
    results: [...Object.keys(programs).map((name) => `${name}.cjs`), bundledFile('programs')],
    build: buildPrograms,
  },
  {
    name: 'window',
    sources: [
      'renderer',
      'electron/contract',
      'electron/charting',
      'electron/language',
      'vite.config.ts',
      'package-lock.json',
    ],
    results: ['renderer/index.html', bundledFile('window')],
    build: buildWindow,
  },
];

const readLate = {
  name: 'read-late',
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ kind, path: words }) =>
      kind === 'dynamic-import' && words in lateImports ? { path: lateImports[words], external: true } : null,
    );
  },
};

/** The native tokenizers are loaded when a program first uses them: finding out which library is the machine's takes long. */
const lazyTokenizers = {
  name: 'lazy-tokenizers',
  setup({ onResolve, onLoad }) {
    const tokenizers = '@anush008/tokenizers';
    onResolve({ filter: new RegExp(`^${tokenizers}$`) }, ({ namespace }) =>
      namespace === 'lazy' ? { path: tokenizers, external: true } : { path: tokenizers, namespace: 'lazy' },
    );
    onLoad({ filter: /./, namespace: 'lazy' }, () => {
      const names = Object.keys(createRequire(import.meta.url)(tokenizers));
      return {
        resolveDir: root,
        contents: names
          .map(
            (name) =>
              `Object.defineProperty(exports, '${name}', { enumerable: true, get: () => require('${tokenizers}').${name} });`,
          )
          .join('\n'),
      };
    });
  },
};

async function buildPrograms() {
  const { build } = await import('esbuild');
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(
      Object.entries(programs).filter(
        ([, source]) => !source.startsWith('electron/') || existsSync(path.join(root, source)),
      ),
    ),
    outdir: dist,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.18',
    external,
    plugins: [readLate, lazyTokenizers],
    supported: { 'dynamic-import': false },
    // Reports carry the window's colours: its style sheet as text.
    loader: { '.css': 'text' },
    // A CommonJS bundle has no import.meta; modules that ask where they are get the bundle's own address.
    define: { 'import.meta.url': 'bundleUrl' },
    banner: {
      js: "const bundleUrl = typeof __filename === 'undefined' ? '' : require('url').pathToFileURL(__filename).href;",
    },
    sourcemap: 'linked',
    logLevel: 'warning',
    metafile: true,
  });
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  await writeBundled('programs', used);
}

async function buildWindow() {
  const { build } = await import('vite');
  const built = await build({ configFile: path.join(root, 'vite.config.ts'), logLevel: 'warn' });
  const used = [built]
    .flat()
    .flatMap(({ output }) =>
      output.flatMap((chunk) =>
        Object.entries(chunk.modules ?? {}).flatMap(([file, { renderedLength }]) => (renderedLength > 0 ? [file] : [])),
      ),
    );
  await writeBundled('window', used);
}

/** @param {string} part @param {readonly string[]} files modules that have code in the part's bundles */
async function writeBundled(part, files) {
  const folders = files.flatMap(
    (file) => /(?:.*[/\\])?node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+/.exec(file)?.[0] ?? [],
  );
  const packages = [...new Set(folders.map((folder) => path.relative(root, path.resolve(root, folder))))];
  await writeFile(
    path.join(dist, bundledFile(part)),
    `${JSON.stringify(packages.map((folder) => folder.split(path.sep).join('/')).sort(), null, 2)}\n`,
  );
}

/** Names, sizes and times of all sources: cheap, and enough between two builds of one checkout. */
async function fingerprint(sources) {
  const lines = [];
  const visit = async (name) => {
    const info = await stat(path.join(root, name));
    if (!info.isDirectory()) lines.push(`${name} ${info.size} ${info.mtimeMs}`);
    else for (const child of await readdir(path.join(root, name))) await visit(`${name}/${child}`);
  };
  for (const source of sources) if (existsSync(path.join(root, source))) await visit(source);
  return lines.sort().join('\n');
}

const isRunning = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/** One build of a checkout at a time: a second one waits, then finds everything done. */
async function withLock(work) {
  const lock = path.join(dist, '.building');
  await mkdir(dist, { recursive: true });
  for (;;) {
    try {
      await writeFile(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const owner = Number(await readFile(lock, 'utf8').catch(() => '0'));
      // An empty file is one just being written.
      if (owner > 0 && !isRunning(owner)) await rm(lock, { force: true });
      else await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** @returns {Promise<string[]>} Folders, from the checkout's root, of the packages that have code in the bundles of dist/. */
export async function bundledPackages() {
  const lists = await Promise.all(
    parts.map(async ({ name }) => JSON.parse(await readFile(path.join(dist, bundledFile(name)), 'utf8'))),
  );
  return [...new Set(lists.flat())].sort();
}

/**
 * @param {{force?: boolean, window?: boolean}} [options] `window` false builds the programs only, as the command needs them.
 * @returns {Promise<string[]>} Names of the parts that were built.
 */
export async function buildAll({ force = false, window = true } = {}) {
  const wanted = parts.filter((part) => window || part.name !== 'window');
  const stale = async (part) => {
    const stamp = path.join(dist, `.${part.name}`);
    const now = await fingerprint(part.sources);
    const fresh =
      !force &&
      part.results.every((file) => existsSync(path.join(dist, file))) &&
      (await readFile(stamp, 'utf8').catch(() => '')) === now;
    return { stamp, now, fresh };
  };
  if ((await Promise.all(wanted.map(stale))).every((state) => state.fresh)) return [];
  return withLock(async () => {
    const built = [];
    for (const part of wanted) {
      const { stamp, now, fresh } = await stale(part);
      if (fresh) continue;
      say(`building the ${part.name}`);
      await part.build();
      await writeFile(`${stamp}.part`, now);
      await rename(`${stamp}.part`, stamp);
      built.push(part.name);
    }
    return built;
  });
}

if (isMain(import.meta.url)) {
  buildAll({ force: process.argv.includes('--force'), window: !process.argv.includes('--programs') })
    .then((built) => (built.length === 0 ? say('everything is built already') : undefined))
    .catch(fail);
}
