/** Project files: zips that name places outside, lie about sizes, hold links, bombs or a name twice, and damaged ones. */
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import fc, { type Arbitrary } from 'fast-check';
import yauzl from 'yauzl';
import { StudioError } from '../../../electron/contract/errors.js';
import { openStudio, type Studio } from '../../../electron/studio/index.js';
import { byteChange, place } from '../bytes.js';
import type { FileSet, Subject } from '../subject.js';
import { valueChange, type Json } from '../values.js';
import { zipOf, type ZipMember } from '../zip.js';

const name = 'a.peftproject';
const only = (bytes: Buffer): FileSet => new Map([[name, bytes]]);
let studio: Studio;
let small: readonly ZipMember[] = [];
let large: readonly ZipMember[] = [];

async function jobEnd(jobId: string): Promise<void> {
  for (;;) {
    const job = (await studio.handlers['jobs.list']({})).find(({ id }) => id === jobId);
    if (job === undefined || job.state === 'running') await new Promise((done) => setTimeout(done, 2));
    else if (job.problem) throw StudioError.fromProblem(job.problem);
    else return;
  }
}

const membersOf = (path: string) =>
  new Promise<ZipMember[]>((done, fail) =>
    yauzl.open(path, (error, zip) => {
      if (error) return fail(error);
      const members: Promise<ZipMember>[] = [];
      zip.on('entry', (entry: yauzl.Entry) =>
        zip.openReadStream(entry, (_, stream) =>
          members.push(buffer(stream).then((bytes) => ({ name: entry.fileName, bytes }))),
        ),
      );
      zip.on('end', () => setTimeout(() => done(Promise.all(members)), 50));
    }),
  );

const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
/** The manifest vouches for whatever the members have become. */
function vouched(members: readonly ZipMember[]): ZipMember[] {
  const hashes = Object.fromEntries(
    members.filter((one) => one.name !== 'manifest.json').map((one) => [one.name, sha(one.bytes)]),
  );
  return members.map((one) => {
    if (one.name !== 'manifest.json') return one;
    try {
      const manifest: unknown = JSON.parse(one.bytes.toString());
      return typeof manifest === 'object'
        ? { ...one, bytes: Buffer.from(JSON.stringify({ ...manifest, hashes })) }
        : one;
    } catch {
      return one;
    }
  });
}

const foreignNames = [
  '../../../../escape',
  '/tmp/escape-absolute',
  'datasets/../../escape',
  '..\\..\\escape',
  'C:\\escape',
  'runs/0',
  'datasets/0.jsonl\0',
  'a'.repeat(5000),
  'runs/999999999999/history.json',
  'datasets/99.jsonl',
  'runs/0/trained.safetensors',
];
const memberChange: Arbitrary<(members: readonly ZipMember[]) => ZipMember[]> = fc
  .record({
    at: place,
    foreign: fc.constantFrom(...foreignNames),
    kind: fc.constantFrom(
      'value',
      'value',
      'value',
      'value',
      'bytes',
      'rename',
      'twice',
      'lie',
      'link',
      'bomb',
      'remove',
      'add',
    ),
    values: fc.array(valueChange, { minLength: 1, maxLength: 2 }),
    byte: byteChange,
    claimed: fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1, 1e9, 5e5),
    deflate: fc.boolean(),
  })
  .map(({ at, foreign, kind, values, byte, claimed, deflate }) => (members) => {
    const index = Math.floor(at * members.length);
    const own = members[index];
    if (own === undefined) return [...members];
    const put = (...instead: ZipMember[]) => [...members.slice(0, index), ...instead, ...members.slice(index + 1)];
    const byValue = () => {
      const lines = own.name.endsWith('.jsonl') ? own.bytes.toString().split('\n') : [own.bytes.toString()];
      const changed = lines.map((line, i) => {
        if (i !== Math.floor(at * lines.length) && lines.length > 1) return line;
        try {
          return JSON.stringify(values.reduce<Json>((value, change) => change(value), JSON.parse(line) as Json));
        } catch {
          return line;
        }
      });
      return { ...own, bytes: Buffer.from(changed.join('\n')) };
    };
    switch (kind) {
      case 'value':
        return put(byValue());
      case 'bytes':
        return put({ ...own, bytes: Buffer.from(byte(own.bytes)).subarray(0, 1 << 22) });
      case 'rename':
        return put({ ...own, name: foreign });
      case 'twice':
        return put(own, { ...own, bytes: Buffer.from(byte(own.bytes)).subarray(0, 1 << 22) });
      case 'lie':
        return put({ ...own, claimed, deflate });
      case 'link':
        return put({ ...own, mode: 0o120777, bytes: Buffer.from('/etc/passwd') });
      case 'bomb':
        return put({ ...own, bytes: Buffer.alloc(30_000_000, 0x20), ...(deflate ? {} : { claimed }) });
      case 'remove':
        return put();
      default:
        return put(own, { name: foreign, bytes: Buffer.from('x') });
    }
  });

const made: Arbitrary<FileSet> = fc
  .record({
    changes: fc.array(memberChange, { maxLength: 3 }),
    honest: fc.double({ min: 0, max: 1, noNaN: true }),
    most: fc.nat(9),
  })
  .map(({ changes, honest, most }) => {
    const members = changes.reduce<readonly ZipMember[]>((list, change) => change(list), most === 0 ? large : small);
    return only(zipOf(honest < 0.85 ? vouched(members) : members));
  });

export const projectSubject: Subject = {
  name: 'project',
  share: 5,
  made,
  async seeds(work) {
    const home = join(work, 'data folder');
    await mkdir(home, { recursive: true });
    await cp(join('test', 'fixtures', 'first-version'), home, { recursive: true });
    studio = await openStudio({
      home,
      spawnTrainer: () => {
        throw new Error('nothing is trained here');
      },
      emit: () => undefined,
      startQueued: false,
      checkDevices: false,
      assets: resolve('native-assets'),
    });
    const [project] = await studio.handlers['projects.list']({ archived: false });
    const path = join(work, 'whole.peftproject');
    await jobEnd((await studio.handlers['projects.export']({ id: project?.id ?? 0, path })).jobId);
    small = await membersOf(join('test', 'fixtures', 'small.peftproject'));
    large = await membersOf(path);
    return [await readFile(join('test', 'fixtures', 'small.peftproject')), await readFile(path)].map(only);
  },
  async read(folder) {
    const before = new Set((await studio.handlers['projects.list']({ archived: false })).map(({ id }) => id));
    try {
      await jobEnd((await studio.handlers['projects.import']({ path: join(folder, name) })).jobId);
    } finally {
      for (const { id } of await studio.handlers['projects.list']({ archived: false }))
        if (!before.has(id)) {
          // What was let in can be looked at.
          for (const set of await studio.handlers['datasets.list']({ projectId: id }))
            await studio.handlers['datasets.rows']({ id: set.id, offset: 0, limit: 10 });
          for (const run of await studio.handlers['runs.list']({ projectId: id }))
            await studio.handlers['runs.history']({ id: run.id, afterStep: 0 });
          for (const { id: study } of await studio.handlers['studies.list']({ projectId: id }))
            await studio.handlers['studies.report']({ id: study });
          await studio.handlers['projects.remove']({ id });
        }
    }
  },
};
