/** Which weights are these? Names of models and folders may differ, the bytes of their weights do not. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** SHA-256 of a file, in hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** SHA-256 over a model folder's weight files. */
export async function hashWeights(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.safetensors')).sort();
  const hashes: string[] = [];
  for (const name of names) hashes.push(await hashFile(join(folder, name)));
  return createHash('sha256').update(hashes.join()).digest('hex');
}
