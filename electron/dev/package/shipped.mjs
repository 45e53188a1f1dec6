/** What goes into an installer besides the project's own code: packages in the bundles, packages that stay packages, and their licence texts. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { bundledPackages } from '../build.mjs';
import { PrepareError, root } from '../tools.mjs';

/** Native packages and what they load, and a font: the only ones in the installed node_modules (`files` in electron-builder.yml). */
export const unbundled = [
  'onnxruntime-node',
  'onnxruntime-common',
  'sqlite3',
  'bindings',
  'file-uri-to-path',
  '@anush008/tokenizers',
  'pdfmake',
];
/** The tokenizers' native part is a package of its own for each platform; only one of them is installed. */
const tokenizersPlatform = /^tokenizers-/;

/** Where the licence text of a package lies that brings none itself: beside it, in a package of the same project, or here. */
const textsElsewhere = {
  '@anush008/tokenizers-*': ['node_modules/@anush008/tokenizers/LICENSE'],
  'onnxruntime-node': [
    'electron/dev/package/texts/onnxruntime.txt',
    'electron/dev/package/texts/onnxruntime-third-party.txt',
  ],
  // Apache-2.0 as this project itself, and a header of its own in one module.
  '@bufbuild/protobuf': ['LICENSE', 'electron/dev/package/texts/protobuf-varint.txt'],
  // Their package.json say MIT and name the authors; the standard text.
  ...Object.fromEntries(
    ['brotli', 'dfa', 'fontkit', 'png-js'].map((name) => [name, ['electron/dev/package/texts/devongovett.txt']]),
  ),
  'lazy-val': ['electron/dev/package/texts/lazy-val.txt'],
  'onnx-buf': ['electron/dev/package/texts/onnx-buf.txt'],
  'onnxruntime-common': ['electron/dev/package/texts/onnxruntime.txt'],
};
/** Licences that a package.json does not name, read from the package's own licence file. */
const unnamedLicences = { 'svelte-toolbelt': 'MIT', 'png-js': 'MIT' };

/**
 * @typedef {{name: string, version: string, license: string, homepage: string, folder: string, texts: string[]}} Shipped
 * `folder` from the checkout's root; `texts`: every licence and notice file of the package.
 */

/** @returns {Promise<string[]>} Folders, from the checkout's root, of every package whose code is shipped. */
async function shippedFolders() {
  const scope = path.join(root, 'node_modules', '@anush008');
  const platform = (await readdir(scope))
    .filter((name) => tokenizersPlatform.test(name))
    .map((name) => `@anush008/${name}`);
  const packages = [...unbundled, ...platform].map((name) => `node_modules/${name}`);
  return [...new Set([...(await bundledPackages()), ...packages])].sort();
}

const licenceFile = /^(licen[cs]e|copying|notice|third-?party.*|unlicense)([.-].*)?$/i;

async function textsOf(folder, name) {
  const files = (await readdir(path.join(root, folder))).filter(
    (file) => licenceFile.test(file) && !/\.(js|json)$/.test(file),
  );
  const found = files.map((file) => path.join(folder, file));
  if (found.length === 0) {
    const elsewhere = Object.entries(textsElsewhere).find(([key]) =>
      key.endsWith('*') ? name.startsWith(key.slice(0, -1)) : key === name,
    );
    found.push(...(elsewhere?.[1] ?? []));
  }
  return Promise.all(
    found.sort().map(async (file) => (await readFile(path.join(root, file), 'utf8')).replace(/\r\n/g, '\n').trim()),
  );
}

/**
 * @returns {Promise<Shipped[]>} Every third-party package in the installers, by name.
 * @throws {PrepareError} for one without a licence or its text: what may not be passed on must not be shipped unseen
 */
export async function shippedPackages() {
  const list = await Promise.all(
    (await shippedFolders()).map(async (folder) => {
      const manifest = JSON.parse(await readFile(path.join(root, folder, 'package.json'), 'utf8'));
      const license =
        typeof manifest.license === 'string'
          ? manifest.license
          : (manifest.license?.type ?? unnamedLicences[manifest.name] ?? '');
      return {
        name: manifest.name,
        version: manifest.version,
        license,
        homepage:
          manifest.homepage ??
          (typeof manifest.repository === 'string' ? manifest.repository : (manifest.repository?.url ?? '')),
        folder,
        texts: await textsOf(folder, manifest.name),
      };
    }),
  );
  const lacking = list.filter(({ license, texts }) => license === '' || texts.length === 0);
  if (lacking.length > 0) {
    throw new PrepareError(
      `No licence text is known of ${lacking.map(({ name, license }) => `${name} (${license || 'no licence named'})`).join(', ')}.`,
      'Find it at the project, put it under electron/dev/package/texts and name it in shipped.mjs.',
    );
  }
  return list.sort((a, b) => (a.name < b.name ? -1 : 1));
}
