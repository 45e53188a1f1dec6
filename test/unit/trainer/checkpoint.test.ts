import { mkdtemp, open, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NamedTensors } from '../../../electron/engine/index.js';
import { CheckpointStore, readHashed, writeHashed } from '../../../electron/trainer/checkpoint.js';
import { freshProgress, type Progress } from '../../../electron/trainer/progress.js';

let runFolder: string;
let store: CheckpointStore;
beforeEach(async () => {
  runFolder = await mkdtemp(join(tmpdir(), 'checkpoint-'));
  store = await CheckpointStore.open(runFolder);
});

const stateAt = (step: number): NamedTensors =>
  new Map([
    ['weight', { shape: [2, 3], data: Float32Array.of(step, 1e-40, -0, 3.4e38, step / 3, Number.NaN) }],
    ['moment', { shape: [2], data: Float32Array.of(step ** 2, 0.1) }],
  ]);
const scores = { accuracy: 0.5, macroF1: 0.4, loss: 1 };
const progressAt = (step: number, best: Progress['best'] = null): Progress => ({
  ...freshProgress(100, 'print'),
  step,
  best,
  seconds: step / 7,
});
const path = (name: string) => join(runFolder, 'checkpoints', name);
const names = async () => (await readdir(join(runFolder, 'checkpoints'))).sort();
const stepFile = (step: number) => `step-${String(step).padStart(9, '0')}.safetensors`;

describe('CheckpointStore', () => {
  it('gives back the newest state bit for bit, and keeps two', async () => {
    for (const step of [1, 2, 3]) await store.save(stateAt(step), progressAt(step));
    expect(await names()).toEqual([stepFile(2), stepFile(3)]);
    const loaded = await (await CheckpointStore.open(runFolder)).loadNewest();
    expect(loaded).toMatchObject({ progress: progressAt(3), skipped: [] });
    for (const [name, { shape, data }] of stateAt(3)) {
      expect(loaded?.state.get(name)?.shape).toEqual(shape);
      expect(Buffer.from(loaded!.state.get(name)!.data.buffer)).toEqual(Buffer.from(data.buffer));
    }
  });

  it('says null where there is none, and forgets all on clear', async () => {
    expect(await store.loadNewest()).toBeNull();
    await store.saveBest(1, stateAt(1));
    await store.save(stateAt(1), progressAt(1));
    await store.clear();
    expect(await store.loadNewest()).toBeNull();
    expect(await names()).toEqual([]);
  });

  it('keeps the best files its two checkpoints stand on, and no others', async () => {
    const first = await store.saveBest(1, stateAt(1));
    await store.save(stateAt(1), progressAt(1, { step: 1, stage: 0, scores, file: first }));
    await store.save(stateAt(2), progressAt(2, { step: 1, stage: 0, scores, file: first }));
    const second = await store.saveBest(3, stateAt(3));
    await store.save(stateAt(3), progressAt(3, { step: 3, stage: 0, scores, file: second }));
    expect(await names()).toEqual([first, second, stepFile(2), stepFile(3)]);
    await store.save(stateAt(4), progressAt(4, { step: 3, stage: 0, scores, file: second }));
    expect(await names()).toEqual([second, stepFile(3), stepFile(4)]);
    expect((await store.loadBest(second)).get('moment')?.data[0]).toBe(9);
  });

  it('falls back to the older one whatever length the newest was cut to', async () => {
    await store.save(stateAt(1), progressAt(1));
    await store.save(stateAt(2), progressAt(2));
    const whole = await readFile(path(stepFile(2)));
    for (let length = 0; length < whole.length; length += 7) {
      await writeFile(path(stepFile(2)), whole.subarray(0, length));
      const loaded = await store.loadNewest();
      expect(loaded?.progress.step).toBe(1);
      expect(loaded?.skipped).toHaveLength(1);
    }
  });

  it('recognizes a single changed bit in values, shape or progress', async () => {
    await store.save(stateAt(1), progressAt(1));
    await store.save(stateAt(2), progressAt(2));
    const whole = await readFile(path(stepFile(2)));
    const places = [
      whole.length - 1,
      whole.indexOf('"fingerprint') + 20,
      whole.indexOf('seconds') + 11,
      whole.length - 20,
    ];
    for (const at of places) {
      const torn = Buffer.from(whole);
      torn[at] = torn[at]! ^ 1;
      await writeFile(path(stepFile(2)), torn);
      expect((await store.loadNewest())?.progress.step).toBe(1);
    }
  });

  it('falls back when the best parameters of the newest are gone', async () => {
    await store.save(stateAt(1), progressAt(1));
    await store.save(stateAt(2), progressAt(2, { step: 2, stage: 0, scores, file: 'best-000000002.safetensors' }));
    expect(await store.loadNewest()).toMatchObject({
      progress: { step: 1 },
      skipped: [expect.stringContaining('best-000000002')],
    });
  });

  it('names the reasons when none is whole', async () => {
    await store.save(stateAt(1), progressAt(1));
    await truncate(path(stepFile(1)), 30);
    await expect(store.loadNewest()).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining(stepFile(1)),
      hint: expect.any(String),
    });
  });

  it('sweeps what a killed writer left', async () => {
    await writeFile(path(`${stepFile(5)}.4711.tmp`), 'half');
    await writeFile(join(runFolder, 'trained.safetensors.4711.tmp'), 'half');
    await CheckpointStore.open(runFolder);
    expect(await names()).toEqual([]);
    expect(await readdir(runFolder)).toEqual(['checkpoints']);
  });
});

it('readHashed refuses a file that carries no hash', async () => {
  const file = join(runFolder, 'a.safetensors');
  await writeHashed(file, stateAt(1), { kind: 'x' });
  expect((await readHashed(file)).metadata).toEqual({ kind: 'x' });
  const bytes = await readFile(file);
  const handle = await open(file, 'r+');
  await handle.write('contentHxsh', bytes.indexOf('contentHash'));
  await handle.close();
  await expect(readHashed(file)).rejects.toMatchObject({ code: 'bad-file', message: expect.stringContaining(file) });
});
