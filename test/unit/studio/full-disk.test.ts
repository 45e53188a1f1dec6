/** A disk that is really full, in the middle of the work: nothing half-made looks whole, and the work goes on once there is room. */
import { readdir, rm, writeFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, type TestContext } from 'vitest';
import { importRequestSchema, type Run } from '../../../electron/contract/entities.js';
import { planSchema } from '../../../electron/contract/plan.js';
import { openDatabase } from '../../../electron/storage/index.js';
import { SmallDisk } from '../../helpers/small-disk.js';
import { smallStudy, studyEnded } from '../../helpers/study.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

/** The studio asks for 50 MiB before it begins; the test fills the rest. */
const disk = SmallDisk.mount(200);
let elsewhere: string;
let studio: TestStudio;
let projectId: number;

const needsDisk = (context: TestContext) => context.skip(disk === null, 'no tmpfs can be mounted here');
const theDisk = () => {
  if (disk === null) throw new Error('no disk');
  return disk;
};
const csv = (count: number) =>
  ['text,label', ...tinyRows(count).map(({ text, label }) => `${text},${label}`)].join('\n');
const request = (name: string, file: string) =>
  importRequestSchema.parse({
    projectId,
    name,
    path: join(elsewhere, file),
    textColumn: 'text',
    labelColumn: 'label',
    validation: 0.1,
    test: 0.1,
  });
// About 0.4 million parameters: a checkpoint of full fine-tuning takes 5 MB.
const plan = planSchema.parse({
  model: 'tiny',
  data: 'rows',
  method: { type: 'full' },
  training: { batchSize: 8, maxLength: 16, maxSteps: 120, checkpointEverySteps: 10, validateEverySteps: 50 },
  device: 'cpu',
});
const over = ({ state }: Run) => !['queued', 'preparing', 'running'].includes(state);

async function start(): Promise<number> {
  const [run] = await studio.handlers['runs.start']({ projectId, plans: [plan], initFolder: null });
  return run?.id ?? 0;
}
const ended = (id: number) => studio.waitFor('run', (run) => run.id === id && over(run));
const losses = async (id: number) =>
  (await studio.handlers['runs.history']({ id, afterStep: 0 })).steps.map(({ step, loss }) => [step, loss]);
/** What a run can go on from; a temporary file, which would be none of these, is not there. */
async function checkpoints(id: number): Promise<string[]> {
  const names = await readdir(join(studio.home, 'runs', String(id), 'checkpoints'));
  expect(names.filter((name) => !/^(step|best)-\d{9}\.safetensors$/.test(name))).toEqual([]);
  return names.filter((name) => name.startsWith('step-'));
}
/** Fills the disk as soon as the run has told of its first checkpoint. */
const fillDuring = (id: number, left: number) =>
  studio.waitFor('metrics', ({ runId, log }) => {
    const reached = runId === id && log.some(({ level }) => level === 'save');
    if (reached) theDisk().fill(left);
    return reached;
  });
/** The database's log of changes keeps the room it once took; without it, every write needs some. */
async function shrinkLog(): Promise<void> {
  const { database } = await openDatabase(studio.home);
  // The studio may be in the middle of a write.
  await expect
    .poll(() => database.all('PRAGMA wal_checkpoint(TRUNCATE)'), { timeout: 10_000 })
    .toMatchObject([{ busy: 0 }]);
  await database.close();
}

async function expectIntact(): Promise<void> {
  const { database, notices } = await openDatabase(studio.home);
  expect(notices).toEqual([]);
  expect(await database.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  expect(await database.all('PRAGMA foreign_key_check')).toEqual([]);
  await database.close();
}

beforeAll(async () => {
  if (disk === null) return;
  elsewhere = await mkdtemp(join(tmpdir(), 'full-disk-'));
  await makeTinyModel(join(elsewhere, 'tiny'), { hiddenSize: 128, intermediateSize: 512 });
  await writeFile(join(elsewhere, 'rows.csv'), csv(200));
  await writeFile(join(elsewhere, 'many.csv'), csv(20_000));
  studio = await openTestStudio(disk.folder);
  projectId = (await studio.handlers['projects.create']({ name: 'Trial', description: '' })).id;
  await studio.handlers['models.add']({ folder: join(elsewhere, 'tiny'), name: 'tiny' });
  await studio.finished(await studio.handlers['datasets.import'](request('rows', 'rows.csv')));
}, 60_000);
beforeEach(needsDisk);
afterEach(() => disk?.clear());
afterAll(async () => {
  if (disk === null) return;
  await studio.close();
  disk.unmount();
  await rm(elsewhere, { recursive: true, force: true });
  await removeBundles();
});

it.each([0, 300_000])(
  'an import leaves nothing, and goes through under the same name later (%i bytes left)',
  async (left) => {
    const filled = studio.waitFor('job', ({ kind, done }) => {
      if (kind !== 'import' || done === 0) return false;
      theDisk().fill(left);
      return true;
    });
    const name = `many ${left}`;
    const job = await studio.handlers['datasets.import'](request(name, 'many.csv'));
    await expect(studio.finished(job)).rejects.toMatchObject({
      code: 'no-space',
      message: expect.stringContaining('disk is full') as string,
      hint: expect.stringContaining('Free some space') as string,
    });
    await filled;
    const names = async () => (await studio.handlers['datasets.list']({ projectId })).map((set) => set.name);
    expect(await names()).not.toContain(name);
    theDisk().clear();
    await expectIntact();
    await studio.finished(await studio.handlers['datasets.import'](request(name, 'many.csv')));
    expect(await names()).toContain(name);
  },
);

it('says before it begins what an import needs and what there is', async () => {
  theDisk().fill(20 * 2 ** 20);
  const job = await studio.handlers['datasets.import'](request('late', 'rows.csv'));
  await expect(studio.finished(job)).rejects.toMatchObject({
    code: 'no-space',
    message: expect.stringMatching(/needs about 5\d MiB, but .* has 2\d MiB free/) as string,
  });
});

it(
  'a run whose checkpoint found no room says so, and resumes to the losses of a whole one',
  { timeout: 120_000 },
  async () => {
    const whole = await start();
    expect((await ended(whole)).state).toBe('finished');
    const id = await start();
    const end = ended(id);
    await fillDuring(id, 2 ** 20);
    expect(await end).toMatchObject({
      state: 'interrupted',
      problem: {
        code: 'no-space',
        message: expect.stringMatching(/checkpoints.*(step|best)-.*safetensors: the disk is full/) as string,
        hint: expect.stringContaining('resume the run') as string,
      },
    });
    expect((await checkpoints(id)).length).toBeGreaterThan(0);
    const log = (await studio.handlers['runs.history']({ id, afterStep: 0 })).log.filter(
      ({ level }) => level === 'error',
    );
    expect(log).toMatchObject([{ message: expect.stringContaining('disk is full') as string }]);

    theDisk().clear();
    await expectIntact();
    const resumed = ended(id);
    await studio.handlers['runs.resume']({ id });
    expect(await resumed).toMatchObject({ state: 'finished', problem: null });
    expect(await losses(id)).toEqual(await losses(whole));
    const [first, second] = await Promise.all([whole, id].map((run) => studio.handlers['runs.get']({ id: run })));
    expect(second?.result?.test).toEqual(first?.result?.test);
  },
);

it(
  'a run ends visibly even where not a byte is left to note it, and its end is noted later',
  { timeout: 120_000 },
  async () => {
    await shrinkLog();
    const id = await start();
    const end = ended(id);
    await fillDuring(id, 0);
    expect(await end).toMatchObject({ state: 'interrupted', problem: { code: 'no-space' } });
    expect(await studio.handlers['runs.get']({ id })).toMatchObject({
      state: 'interrupted',
      problem: { code: 'no-space' },
    });
    // What the failed checkpoint gave back is taken again.
    theDisk().fill(0);
    await expect(studio.handlers['runs.resume']({ id })).rejects.toMatchObject({ code: 'no-space' });
    expect((await checkpoints(id)).length).toBeGreaterThan(0);

    theDisk().clear();
    await expectIntact();
    const resumed = ended(id);
    await studio.handlers['runs.resume']({ id });
    expect(await resumed).toMatchObject({ state: 'finished', problem: null });
    expect((await losses(id)).map(([step]) => step)).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
  },
);

it(
  'an app that is closed while the disk is full finds its run interrupted at the next start',
  { timeout: 60_000 },
  async () => {
    await shrinkLog();
    const id = await start();
    const end = ended(id);
    await fillDuring(id, 0);
    await end;
    await studio.close();
    theDisk().clear();
    studio = await openTestStudio(theDisk().folder);
    expect((await studio.handlers['runs.get']({ id })).state).toBe('interrupted');
    await studio.handlers['runs.cancel']({ id });
  },
);

it(
  'a study ends visibly where not a byte is left to note it, and goes on once there is room',
  { timeout: 120_000 },
  async () => {
    await shrinkLog();
    const study = smallStudy({
      methods: [{ type: 'head' }],
      seeds: [1],
      learningRates: [0.02],
      training: { maxSteps: 60, batchSize: 8, maxLength: 16, checkpointEverySteps: 1 },
    });
    const filled = studio.waitFor('metrics', ({ steps }) => {
      const reached = steps.some(({ step }) => step > 2);
      if (reached) theDisk().fill(0);
      return reached;
    });
    const { id } = await studio.handlers['studies.start']({ projectId, study, goOn: false });
    const ended = studyEnded(studio, id);
    await filled;
    const told = { state: 'interrupted', problem: { code: 'no-space' } };
    expect(await ended).toMatchObject(told);
    expect(await studio.handlers['studies.get']({ id })).toMatchObject(told);
    theDisk().clear();
    await expectIntact();
    await studio.handlers['studies.resume']({ id });
    expect(await studyEnded(studio, id)).toMatchObject({ state: 'finished', problem: null });
  },
);

it('exports, predictions and project files are there whole or not at all', { timeout: 120_000 }, async () => {
  const id = await start();
  expect((await ended(id)).state).toBe('finished');
  const targets = [SmallDisk.mount(1), SmallDisk.mount(40, 4), SmallDisk.mount(1)];
  const [tiny, few, brim] = targets;
  if (!tiny || !few || !brim) throw new Error('no disk');
  try {
    // Known beforehand.
    await expect(
      studio.handlers['exports.start']({ runId: id, format: 'merged', folder: join(tiny.folder, 'out') }).then(
        studio.finished,
      ),
    ).rejects.toMatchObject({ code: 'no-space', message: expect.stringContaining(tiny.folder) as string });
    // The disk has room for bytes, but for no more files: found out in the middle of writing.
    await expect(
      studio.handlers['exports.start']({ runId: id, format: 'merged', folder: join(few.folder, 'out') }).then(
        studio.finished,
      ),
    ).rejects.toMatchObject({ code: 'no-space', message: expect.stringContaining('disk is full') as string });
    brim.fill();
    const asked = { runId: id, path: join(elsewhere, 'many.csv'), textColumn: 'text', pairColumn: null, report: false };
    await expect(
      studio.handlers['playground.predictFile']({ ...asked, out: join(brim.folder, 'answers.csv') }).then(
        studio.finished,
      ),
    ).rejects.toMatchObject({ code: 'no-space', message: expect.stringContaining('answers.csv') as string });
    await expect(
      studio.handlers['projects.export']({ id: projectId, path: join(brim.folder, 'project.zip') }).then(
        studio.finished,
      ),
    ).rejects.toMatchObject({ code: 'no-space', message: expect.stringContaining('project.zip') as string });
    expect(await Promise.all(targets.map((target) => readdir(target?.folder ?? '')))).toEqual([[], [], ['ballast']]);
    expect(await studio.handlers['exports.list']({ projectId })).toEqual([]);
  } finally {
    for (const target of targets) target?.unmount();
  }
});
