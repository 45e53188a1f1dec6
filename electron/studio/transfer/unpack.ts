/** A project's file, unpacked. Nothing of it is believed before it was checked: names and sizes here, hashes and content by who reads it. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import { fileProblem } from '../../contract/problem-of.js';
import { requireSpace } from '../files.js';
import { throwIfAborted, type JobHandle } from '../jobs.js';
import { broken } from './format.js';

/** A member that unpacks to more than this multiple of what it takes packed is no honest member. */
const LARGEST_RATIO = 200;
const MOST_MEMBERS = 20_000;

function nextEntry(zip: yauzl.ZipFile): Promise<yauzl.Entry> {
  return new Promise((done, fail) => {
    const onError = (error: Error) => fail(error);
    zip.once('entry', (entry: yauzl.Entry) => {
      zip.off('error', onError);
      done(entry);
    });
    zip.once('error', onError);
    zip.readEntry();
  });
}

/** Unpacks into a folder of our own under made-up names; member names are keys only and never become paths. */
export async function unpack(path: string, work: string, handle: JobHandle): Promise<Map<string, string>> {
  const zip = await new Promise<yauzl.ZipFile>((done, fail) =>
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, opened) =>
      error ? fail(broken(path, error.message)) : done(opened),
    ),
  );
  const files = new Map<string, string>();
  try {
    if (zip.entryCount > MOST_MEMBERS)
      throw broken(path, `it has ${zip.entryCount} members, at most ${MOST_MEMBERS} are allowed`);
    for (let i = 0; i < zip.entryCount; i++) {
      throwIfAborted(handle.signal);
      const entry = await nextEntry(zip).catch((error: Error) => {
        throw broken(path, error.message);
      });
      const name = entry.fileName;
      if (!/^(manifest\.json|datasets\/\d+\.jsonl|runs\/\d+\/(history\.json|trained\.safetensors))$/.test(name))
        throw broken(path, `it has a member named ${JSON.stringify(name)}`);
      if (entry.uncompressedSize > 2 ** 20 && entry.uncompressedSize > LARGEST_RATIO * entry.compressedSize)
        throw broken(path, `${name} would unpack to ${entry.uncompressedSize} bytes`);
      await requireSpace(work, entry.uncompressedSize, 'The import');
      const target = join(work, String(i));
      const stream = await new Promise<NodeJS.ReadableStream>((done, fail) =>
        zip.openReadStream(entry, (error, opened) => (error ? fail(broken(path, error.message)) : done(opened))),
      );
      await pipeline(stream, createWriteStream(target)).catch((error: Error) => {
        throw fileProblem(error)?.code === 'no-space' ? error : broken(path, `${name}: ${error.message}`);
      });
      files.set(name, target);
    }
    return files;
  } finally {
    zip.close();
  }
}
