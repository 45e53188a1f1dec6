import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writePytorchBin } from '../../../electron/interchange/pytorch-bin.js';
import { oracleFolder } from '../../helpers/oracle.js';

/** The fixture was written by this code and read by torch.load(weights_only=True) of PyTorch 2.13: these names, shapes and values. */
it('writes the very bytes that torch.load has read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pytorch-bin-'));
  try {
    const path = join(folder, 't.bin');
    await writePytorchBin(
      path,
      new Map([
        ['a.weight', { shape: [2, 3], data: Float32Array.from([1, 2, 3, 4, 5, 6.5]) }],
        ['b', { shape: [4], data: Float32Array.from([1, 2, 3, -4]) }],
        ['s', { shape: [], data: Float32Array.from([7]) }],
      ]),
    );
    expect((await readFile(path)).equals(await readFile(join(oracleFolder, 'formats', 'written-by-us.bin')))).toBe(
      true,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
