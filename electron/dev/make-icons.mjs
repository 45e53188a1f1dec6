/** `npm run make-icons`: draws native-assets/icons/icon.svg at every size, and packs the sizes as Windows and macOS want them. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { fail, root, say } from './tools.mjs';

const folder = path.join(root, 'native-assets', 'icons');
/** What Linux desktops look for, and what the two packs hold. */
const sizes = [16, 24, 32, 48, 64, 128, 256, 512, 1024];
const icoSizes = [16, 24, 32, 48, 64, 128, 256];
/** Apple's names of pictures: of one size, and of half that size for dense screens. */
const icnsTypes = { ic07: 128, ic08: 256, ic09: 512, ic10: 1024, ic11: 32, ic12: 64, ic13: 256, ic14: 512 };

/** @param {readonly {size: number, png: Buffer}[]} pictures @returns {Buffer} A .ico of PNGs: a header, an entry each, the pictures. */
function ico(pictures) {
  const head = Buffer.alloc(6 + 16 * pictures.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(pictures.length, 4);
  let offset = head.length;
  pictures.forEach(({ size, png }, index) => {
    const at = 6 + 16 * index;
    // 0 stands for 256.
    head.writeUInt8(size % 256, at);
    head.writeUInt8(size % 256, at + 1);
    head.writeUInt16LE(1, at + 4);
    head.writeUInt16LE(32, at + 6);
    head.writeUInt32LE(png.length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += png.length;
  });
  return Buffer.concat([head, ...pictures.map(({ png }) => png)]);
}

/** @param {readonly {type: string, png: Buffer}[]} pictures @returns {Buffer} A .icns: each picture behind its type and length. */
function icns(pictures) {
  const part = (type, content) => {
    const head = Buffer.alloc(8);
    head.write(type, 'latin1');
    head.writeUInt32BE(8 + content.length, 4);
    return Buffer.concat([head, content]);
  };
  return part('icns', Buffer.concat(pictures.map(({ type, png }) => part(type, png))));
}

async function makeIcons() {
  const svg = await readFile(path.join(folder, 'icon.svg'));
  const drawn = new Map(
    sizes.map((size) => [size, new Resvg(svg, { fitTo: { mode: 'width', value: size } }).render().asPng()]),
  );
  for (const [size, png] of drawn) await writeFile(path.join(folder, `${size}x${size}.png`), png);
  await writeFile(path.join(folder, 'icon.ico'), ico(icoSizes.map((size) => ({ size, png: drawn.get(size) }))));
  await writeFile(
    path.join(folder, 'icon.icns'),
    icns(Object.entries(icnsTypes).map(([type, size]) => ({ type, png: drawn.get(size) }))),
  );
  say(`drew ${sizes.length} sizes into ${folder}`);
}

makeIcons().catch(fail);
