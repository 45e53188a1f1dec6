/** What an installed or unpacked app holds: all that it needs, nothing of other systems, and a program that runs no other code. */
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { root } from '../../electron/dev/tools.mjs';
import { filesBelow } from './app.mjs';

/** Processors as an ELF file names them. */
const machines = { x64: 62, arm64: 183 };
/** The folders of native-assets that lie beside the archive (electron-builder.yml). */
const assets = ['starter-model', 'samples', 'further'];
/** First bytes of programs and libraries of Windows and macOS. */
const foreign = { '4d5a': 'Windows', cffaedfe: 'macOS', cafebabe: 'macOS', feedfacf: 'macOS' };

/** @returns {string | null} what system and processor a file's code is for; null for a file without code */
function codeIn(file) {
  const head = Buffer.alloc(20);
  const handle = openSync(file, 'r');
  const length = readSync(handle, head, 0, head.length, 0);
  closeSync(handle);
  if (length < head.length) return null;
  if (head.toString('latin1', 0, 4) === '\x7fELF') return `Linux ${head.readUInt16LE(18)}`;
  return Object.entries(foreign).find(([magic]) => head.toString('hex').startsWith(magic))?.[1] ?? null;
}

/** @param {string} folder where the program lies @throws {AssertionError} naming what is wrong */
export async function checkContents(folder) {
  const files = filesBelow(folder);
  const code = files.flatMap((file) => {
    const kind = codeIn(path.join(folder, file));
    return kind === null ? [] : [{ file, kind }];
  });
  assert.deepEqual(
    code.filter(({ kind }) => kind !== `Linux ${machines[process.arch]}`),
    [],
    'code of another system or processor',
  );
  assert.deepEqual(code.flatMap(({ file }) => (file.startsWith('resources/') ? path.basename(file) : [])).sort(), [
    'libonnxruntime.so.1',
    'node_sqlite3.node',
    'onnxruntime_binding.node',
    `tokenizers.linux-${process.arch}-gnu.node`,
  ]);

  for (const name of assets) {
    const [here, there] = [path.join('native-assets', name), path.join('resources', 'native-assets', name)];
    const wanted = filesBelow(path.join(root, here));
    assert.deepEqual(filesBelow(path.join(folder, there)), wanted);
    for (const file of wanted)
      assert.ok(
        readFileSync(path.join(folder, there, file)).equals(readFileSync(path.join(root, here, file))),
        `${there}/${file} differs`,
      );
  }

  for (const file of ['LICENSE.electron.txt', 'LICENSES.chromium.html', 'resources/licences/LICENSE.txt'])
    assert.ok(files.includes(file), `${file} is missing`);
  const licences = path.join(folder, 'resources', 'licences');
  const texts = readFileSync(path.join(licences, 'THIRD-PARTY.txt'), 'utf8');
  const { components } = JSON.parse(readFileSync(path.join(licences, 'sbom.cdx.json'), 'utf8'));
  assert.ok(components.some(({ name }) => name === 'onnxruntime-node'));
  assert.deepEqual(
    components.filter(({ name, version }) => name !== 'electron' && !texts.includes(`${name} ${version}`)),
    [],
    'parts without a licence text',
  );

  const wire = await getCurrentFuseWire(path.join(folder, 'peft-studio'));
  const on = Object.keys(FuseV1Options).filter((name) => String.fromCharCode(wire[FuseV1Options[name]]) === '1');
  assert.deepEqual(on.sort(), [
    'EnableCookieEncryption',
    'EnableEmbeddedAsarIntegrityValidation',
    'OnlyLoadAppFromAsar',
  ]);
}
