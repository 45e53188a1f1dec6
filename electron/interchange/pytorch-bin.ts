/**
 * Writes PyTorch's own weight files (`pytorch_adapter.bin`): AdapterHub's loader reads these unless it is told otherwise.
 * A zip of stored entries: `data.pkl` (pickle, protocol 2) and one raw little-endian file a tensor. Only writing: this program never unpickles.
 * Format: torch/csrc/serialize and torch/serialization.py.
 */
import { createWriteStream } from 'node:fs';
import { basename, extname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import type { NamedTensors } from '../engine/index.js';

const ascii = (text: string) => Buffer.from(text, 'latin1');

/** BINUNICODE: length in four bytes, then UTF-8. */
function unicode(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const head = Buffer.alloc(5, 'X');
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** BININT. */
function integer(value: number): Buffer {
  const bytes = Buffer.alloc(5, 'J');
  bytes.writeInt32LE(value, 1);
  return bytes;
}

const tuple = (...parts: readonly Buffer[]) => Buffer.concat([ascii('('), ...parts, ascii('t')]);
const integers = (values: readonly number[]) => tuple(...values.map(integer));

/** Row-major strides in elements. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}

/** torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks). */
function tensorPickle(key: string, shape: readonly number[], count: number): Buffer {
  const storage = Buffer.concat([
    tuple(unicode('storage'), ascii('ctorch\nFloatStorage\n'), unicode(key), unicode('cpu'), integer(count)),
    ascii('Q'),
  ]);
  const noHooks = ascii('ccollections\nOrderedDict\n)R');
  return Buffer.concat([
    ascii('ctorch._utils\n_rebuild_tensor_v2\n'),
    tuple(storage, integer(0), integers(shape), integers(stridesOf(shape)), ascii('\x89'), noHooks),
    ascii('R'),
  ]);
}

/**
 * Writes float32 tensors as `torch.save({name: tensor})` would; `torch.load(path, weights_only=True)` reads them.
 * The file is not synced: exports are written into a temporary folder and proved before they count.
 */
export async function writePytorchBin(path: string, tensors: NamedTensors): Promise<void> {
  const root = basename(path, extname(path));
  const zip = new ZipFile();
  const add = (name: string, bytes: Buffer) =>
    zip.addBuffer(bytes, `${root}/${name}`, { compress: false, mtime: new Date('1980-01-01T12:00:00Z') });
  const items = [...tensors].map(([name, { shape, data }], index) =>
    Buffer.concat([unicode(name), tensorPickle(String(index), shape, data.length)]),
  );
  add('data.pkl', Buffer.concat([ascii('\x80\x02}('), ...items, ascii('u.')]));
  add('byteorder', ascii('little'));
  [...tensors.values()].forEach(({ data }, index) => {
    const bytes = Buffer.alloc(data.length * 4);
    data.forEach((value, i) => bytes.writeFloatLE(value, i * 4));
    add(`data/${index}`, bytes);
  });
  add('version', ascii('3\n'));
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
}
