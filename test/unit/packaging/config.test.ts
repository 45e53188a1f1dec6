/** electron-builder.yml, without building: the tool's own schema and file matcher say what a build would do. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { billOfMaterials, thirdPartyText } from '../../../electron/dev/package/licences.mjs';
import { shippedPackages, unbundled, type Shipped } from '../../../electron/dev/package/shipped.mjs';

const root = path.resolve(import.meta.dirname, '../../..');
const require = createRequire(import.meta.url);

interface Config {
  readonly files: readonly string[];
  readonly asarUnpack: readonly string[];
  readonly extraResources: readonly { from: string; filter?: readonly string[] }[];
  readonly linux: { readonly extraResources: readonly { from: string }[] };
  readonly deb: { readonly afterInstall: string; readonly afterRemove: string };
  readonly mac: { readonly entitlements: string; readonly icon: string };
  readonly win: { readonly icon: string };
  readonly afterPack: string;
  readonly electronFuses: Readonly<Record<string, boolean>>;
  readonly fileAssociations: readonly { ext: string; icon: string }[];
}
type Read = Omit<Config, 'files'> & { readonly files: readonly (string | { readonly filter: readonly string[] })[] };
type Filter = (file: string, info: ReturnType<typeof statSync>) => boolean;
const { getConfig, validateConfiguration } = require('app-builder-lib/out/util/config/config.js') as {
  getConfig(folder: string, file: string, own: null): Promise<Read>;
  validateConfiguration(config: unknown, logger: { isEnabled: boolean }): Promise<void>;
};
const { FileMatcher } = require('app-builder-lib/out/fileMatcher.js') as {
  FileMatcher: new (
    from: string,
    to: string,
    expand: (text: string) => string,
    patterns: readonly string[],
  ) => {
    createFilter(): Filter;
  };
};

let config: Config;
let shipped: Shipped[];
let all: string[];
beforeAll(async () => {
  // In a process of its own: bundlers leave helpers behind that would keep this one.
  execFileSync(process.execPath, [path.join(root, 'electron', 'dev', 'build.mjs')], { stdio: 'ignore' });
  const read = await getConfig(root, path.join(root, 'electron-builder.yml'), null);
  // Reading makes sets of files of the plain list.
  config = { ...read, files: read.files.flatMap((entry) => (typeof entry === 'string' ? entry : entry.filter)) };
  all = files();
  shipped = await shippedPackages();
}, 300_000);

/** Everything below the folders that the patterns speak of. */
function files(): string[] {
  const folders = [
    'dist',
    ...unbundled.map((name) => `node_modules/${name}`),
    'node_modules/@anush008',
    'node_modules/zod',
  ];
  return ['package.json', ...folders.flatMap((folder) => below(path.join(root, folder)))].map((file) =>
    path.resolve(root, file),
  );
}
const below = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? [file, ...below(file)] : [file];
  });

/** The files that are packed on one system, from the root. */
function packed(platform: string, arch: string, patterns: readonly string[] = config.files): string[] {
  const expand = (text: string) => text.replaceAll('${platform}', platform).replaceAll('${arch}', arch);
  const filter = new FileMatcher(root, root, expand, patterns).createFilter();
  return all.filter((file) => filter(file, statSync(file))).map((file) => path.relative(root, file));
}
/** Excluding patterns alone exclude from everything, as the builder applies them to node_modules. */
const modules = (platform: string, arch: string) =>
  packed(platform, arch, ['**/*', ...config.files.filter((pattern) => pattern.startsWith('!'))]).filter(
    (file) => file.startsWith('node_modules') && statSync(path.join(root, file)).isFile(),
  );

it("is valid by the tool's own schema, Windows, macOS and signing included", async () => {
  await validateConfiguration(config, { isEnabled: false });
  await expect(validateConfiguration({ ...config, win: { taget: ['nsis'] } }, { isEnabled: false })).rejects.toThrow();
});

it('names only files that are there', () => {
  const named = [
    ...config.extraResources.map(({ from }) => from).filter((from) => from !== 'dist/licences'),
    ...config.linux.extraResources.map(({ from }) => from),
    config.deb.afterInstall,
    config.deb.afterRemove,
    config.mac.entitlements,
    config.mac.icon,
    config.win.icon,
    config.afterPack,
    ...config.fileAssociations.flatMap(({ icon }) => [`${icon}.ico`, `${icon}.icns`]),
  ];
  expect(named.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  for (const { filter = [] } of config.extraResources)
    for (const pattern of filter)
      expect(existsSync(path.join(root, 'native-assets', pattern.replace('/**', '')))).toBe(true);
});

it('lays every folder that the studio reads beside the archive', () => {
  const laid = config.extraResources.flatMap(({ from, filter = [] }) => (from === 'native-assets' ? filter : []));
  // The builder's own: pictures of the app, and scripts of the packages.
  const builders = ['icons', 'installer'];
  const folders = readdirSync(path.join(root, 'native-assets')).filter((name) => !builders.includes(name));
  expect([...laid].sort()).toEqual(folders.map((name) => `${name}/**`).sort());
});

describe('what is packed', () => {
  it('every pattern matches something', () => {
    const idle = [...config.files, ...config.asarUnpack].filter(
      (pattern) => packed('linux', 'x64', [pattern.replace(/^!/, '')]).length === 0,
    );
    expect(idle).toEqual([]);
  });

  it('takes the programs, the window and its version, and no source map', () => {
    const list = packed('linux', 'x64');
    for (const file of [
      'dist/main.cjs',
      'dist/studio.cjs',
      'dist/report.cjs',
      'dist/updater.cjs',
      'dist/preload.cjs',
      'dist/trainer.cjs',
      'dist/renderer/index.html',
      'package.json',
    ])
      expect(list).toContain(file);
    expect(list.filter((file) => file.endsWith('.map') || file === 'dist/cli.cjs')).toEqual([]);
  });

  it.each([
    ['linux', 'x64', 'libonnxruntime.so.1'],
    ['linux', 'arm64', 'libonnxruntime.so.1'],
    ['darwin', 'arm64', 'libonnxruntime.1.dylib'],
    ['win32', 'x64', 'onnxruntime.dll'],
  ])('takes the native libraries of %s %s only', (platform, arch, library) => {
    const native = modules(platform, arch).filter((file) => file.startsWith('node_modules/onnxruntime-node/bin/'));
    const folder = `node_modules/onnxruntime-node/bin/napi-v6/${platform}/${arch}/`;
    expect(native).toContain(`${folder}${library}`);
    expect(native.filter((file) => !file.startsWith(folder))).toEqual([]);
  });

  it('takes the packages that stay packages, with their native parts, and no other', () => {
    const list = modules('linux', 'x64');
    const names = new Set(list.map((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]));
    for (const name of unbundled) expect(names).toContain(name);
    expect(names).not.toContain('zod');
    expect(list).toContain('node_modules/sqlite3/build/Release/node_sqlite3.node');
    expect(
      list.filter((file) => /sqlite3\/(deps|src|build\/(?!Release\/node_sqlite3\.node))|\.d\.ts$/.test(file)),
    ).toEqual([]);
  });
});

describe('licences', () => {
  it('stand in one text for every package of the bundles and beside them', () => {
    const text = thirdPartyText(shipped);
    const names = shipped.map(({ name }) => name);
    for (const name of [...unbundled, 'svelte', 'zod', 'echarts', 'electron-updater']) expect(names).toContain(name);
    for (const { name, version, texts } of shipped) {
      expect(text).toContain(`${name} ${version}`);
      for (const one of texts) expect(text).toContain(one);
    }
  });

  it('are of kinds that may be passed on', () => {
    const kinds = new Set(shipped.flatMap(({ license }) => license.replace(/[()]/g, '').split(/ AND | OR /)));
    const allowed = [
      'MIT',
      'ISC',
      'Apache-2.0',
      'BSD-2-Clause',
      'BSD-3-Clause',
      '0BSD',
      'BSL-1.0',
      'Python-2.0',
      'BlueOak-1.0.0',
    ];
    expect([...kinds].filter((kind) => !allowed.includes(kind))).toEqual([]);
  });

  it('and the bill of materials name the same parts, and no place of this machine', async () => {
    // As vite leaves it behind.
    vi.stubEnv('NODE_ENV', 'production');
    const bill = (await billOfMaterials(shipped, { version: '33.2.1' })) as {
      bomFormat: string;
      metadata: { component: { name: string } };
      components: { name: string; version: string }[];
    };
    expect(bill.bomFormat).toBe('CycloneDX');
    expect(bill.metadata.component.name).toBe('peft-studio');
    const named = new Set(bill.components.map(({ name, version }) => `${name}@${version}`));
    expect(named).toEqual(new Set([...shipped.map(({ name, version }) => `${name}@${version}`), 'electron@33.2.1']));
    expect(JSON.stringify(bill)).not.toMatch(/"type":"distribution"/);
    vi.unstubAllEnvs();
  }, 60_000);
});

describe('fuses', () => {
  it('let nobody run or inspect other code by the program', () => {
    expect(config.electronFuses).toEqual({
      runAsNode: false,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      loadBrowserProcessSpecificV8Snapshot: false,
      grantFileProtocolExtraPrivileges: false,
    });
  });

  const program = path.join(root, 'release', 'linux-unpacked', 'peft-studio');
  it.runIf(existsSync(program))('are so in the built program', async () => {
    const { FuseV1Options, getCurrentFuseWire } = await import('@electron/fuses');
    const wire = await getCurrentFuseWire(program);
    // States of a fuse are the digits 0 and 1 in the program's bytes.
    const on = (state: boolean) => (state ? '1' : '0').charCodeAt(0);
    expect(wire[FuseV1Options.RunAsNode]).toBe(on(false));
    expect(wire[FuseV1Options.EnableCookieEncryption]).toBe(on(true));
    expect(wire[FuseV1Options.EnableNodeOptionsEnvironmentVariable]).toBe(on(false));
    expect(wire[FuseV1Options.EnableNodeCliInspectArguments]).toBe(on(false));
    expect(wire[FuseV1Options.EnableEmbeddedAsarIntegrityValidation]).toBe(on(true));
    expect(wire[FuseV1Options.OnlyLoadAppFromAsar]).toBe(on(true));
  });
});

it('the project file has the extension that the app looks for', () => {
  const source = readFileSync(path.join(root, 'electron', 'shell', 'opening.ts'), 'utf8');
  expect(config.fileAssociations.map(({ ext }) => ext)).toEqual(['peftproject']);
  expect(source).toContain("'.peftproject'");
});
