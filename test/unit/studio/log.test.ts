/** The log and the diagnostic report: what was done and what failed stands there, and nothing of the user's. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StudioError } from '../../../electron/contract/errors.js';
import { askedPlanSchema } from '../../../electron/contract/plan.js';
import { Log } from '../../../electron/studio/log/index.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

const marker = 'Zaunkönig';
let outside: string;
let studio: TestStudio;
const logOf = (home: string) => new Log(home).last(100_000).join('\n');

beforeAll(async () => {
  outside = await mkdtemp(join(tmpdir(), `outside-${marker}-`));
  studio = await openTestStudio();
});
afterAll(async () => {
  await studio.close();
  await studio.remove();
  await rm(outside, { recursive: true });
  await removeBundles();
});

it('tells of imports, runs and failures without names, texts and paths', async () => {
  const { handlers } = studio;
  const folder = await makeTinyModel(join(outside, `base ${marker}`));
  const model = await handlers['models.add']({ folder, name: `model ${marker}` });
  const { id: projectId } = await handlers['projects.create']({ name: `project ${marker}`, description: marker });
  const file = join(outside, `rows ${marker}.csv`);
  const rows = tinyRows(60).map(({ text, label }) => `"${text} ${marker}",${label} ${marker}`);
  await writeFile(file, [`text ${marker},label ${marker}`, ...rows].join('\n'));
  const request = {
    projectId,
    name: `set ${marker}`,
    path: file,
    reading: {},
    task: 'classification' as const,
    textColumn: `text ${marker}`,
    pairColumn: null,
    labelColumn: `label ${marker}`,
    validation: 0.2,
    test: 0.2,
    splitColumn: null,
    seed: 1,
    badRows: 'stop' as const,
  };
  await studio.finished(await handlers['datasets.import'](request));
  const plan = askedPlanSchema.parse({
    model: model.name,
    data: request.name,
    method: { type: 'head' },
    training: { maxSteps: 2, batchSize: 4, maxLength: 16 },
    device: 'cpu',
  });
  const [run] = await handlers['runs.start']({ projectId, plans: [plan], initFolder: null });
  expect((await studio.ended(run?.id ?? 0)).state).toBe('finished');

  const damaged = join(outside, `damaged ${marker}.csv`);
  await writeFile(damaged, Buffer.alloc(2000));
  await expect(handlers['datasets.inspect']({ path: damaged, reading: {} })).rejects.toThrow(marker);
  await expect(handlers['datasets.inspect']({ path: `${damaged}.gone`, reading: {} })).rejects.toThrow(marker);
  const project = join(outside, `${marker}.peftproject`);
  await writeFile(project, marker);
  await expect(handlers['projects.import']({ path: project }).then(studio.finished)).rejects.toThrow(marker);
  await expect(
    handlers['datasets.import']({ ...request, name: `other ${marker}`, textColumn: `none ${marker}` }).then(
      studio.finished,
    ),
  ).rejects.toThrow(marker);
  await expect(
    handlers['runs.start']({ projectId, plans: [{ ...plan, data: marker }], initFolder: null }),
  ).rejects.toThrow(marker);

  const log = logOf(studio.home);
  for (const words of [
    /start version="/,
    /job kind="import" state="done"/,
    /run id=1 state="running" objective="classification" method="head"/,
    /run id=1 state="finished"/,
    /datasets\.inspect code="bad-file" kind="StudioError" at="\w+ \w+\.ts:\d+:\d+ < /,
    /datasets\.inspect code="not-found"/,
    /job kind="project-import" state="failed" code="bad-file"/,
    /job kind="import" state="failed" code="bad-data"/,
    /runs\.start code="not-found"/,
  ])
    expect(log).toMatch(words);
  const { text, logFolder } = await handlers['app.diagnose']({});
  expect(logFolder).toBe(join(studio.home, 'log'));
  for (const words of [
    /ONNX Runtime \d/,
    /cpu: /,
    /theme system/,
    /1 projects/,
    /runs: 1 finished/,
    /data sets: 1 classification/,
    /base models: 1 bert \(built in\), 1 bert/,
    /runs\.start code="not-found"/,
  ])
    expect(text).toMatch(words);
  for (const told of [log, text]) {
    expect(told).not.toContain(marker);
    expect(told).not.toContain(tmpdir());
    expect(told).not.toContain(homedir() === '/' ? marker : `${homedir()}/`);
    expect(told).not.toMatch(/sparrow|hammer|bread/);
  }
});

describe('Log', () => {
  it('leaves out messages, even such as look like places in the code', async () => {
    const home = await mkdtemp(join(outside, 'log-'));
    const log = new Log(home);
    const nasty = `${marker}\n    at ${marker} (/home/${marker}/secret.txt:1:1)`;
    log.problem('one', new TypeError(nasty));
    log.problem('two', new StudioError('bad-file', nasty, nasty, { file: nasty, line: 12 }));
    log.problem('three', nasty);
    log.problem('four', Object.assign(new Error(nasty), { code: 'ENOENT', path: nasty }));
    const changed = new Error(nasty);
    changed.message = 'another';
    log.problem('five', changed);
    const told = logOf(home);
    expect(told).not.toContain(marker);
    expect(told).not.toContain('secret');
    expect(told).toMatch(/one code="internal" kind="TypeError" at="[\w.<> ]*log\.test\.ts:\d+:\d+/);
    expect(told).toMatch(/two code="bad-file" kind="StudioError" line=12/);
    expect(told).toMatch(/four code="bad-file" kind="Error ENOENT"/);
  });

  it('is put aside when it is large, and keeps the newest', async () => {
    const home = await mkdtemp(join(outside, 'log-'));
    const log = new Log(home);
    for (let line = 0; line < 30_000; line += 1) log.write('filler', { line, padding: 'x'.repeat(60) });
    const names = await readdir(log.folder);
    expect(names.sort()).toEqual(['studio.1.log', 'studio.2.log', 'studio.log']);
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(log.folder, name))).size));
    for (const size of sizes) expect(size).toBeLessThan(600 * 1024);
    const lines = log.last(5000).map((line) => Number(/line=(\d+)/.exec(line)?.[1]));
    expect(lines).toEqual(Array.from({ length: 5000 }, (_, index) => 25_000 + index));
  });

  it('counts what comes again and again', async () => {
    const home = await mkdtemp(join(outside, 'log-'));
    const log = new Log(home);
    log.write('first');
    for (let time = 0; time < 100; time += 1) log.problem('same', 'fault');
    log.write('last');
    expect(log.last(10).map((line) => line.replace(/^\S+ \d+ /, ''))).toEqual([
      'first',
      'same code="internal" kind="string"',
      'the line before came 99 more times',
      'last',
    ]);
  });

  it('stops nothing where it cannot be written', async () => {
    const home = join(outside, 'file');
    await mkdir(outside, { recursive: true });
    await writeFile(home, 'no folder');
    const log = new Log(home);
    expect(() => log.write('start')).not.toThrow();
    expect(log.last(10)).toEqual([]);
    expect(await readFile(home, 'utf8')).toBe('no folder');
  });
});
