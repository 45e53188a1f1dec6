/**
 * Does the window stay at 60 frames a second? Opens the real app on a nearly empty data folder and on a full one, does the same on
 * both, and prints what the frames took: `npm run frames -- [--points 1000000] [--runs 1000] [--rows 1000000] [--home DIR]`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../electron/cli/output.js';
import { Studio } from '../e2e/harness.js';
import { fill, type Sizes } from './fill.js';
import { Recorder, type Recorded } from './recorder.js';
import { scenesOf } from './scenes.js';

const { values } = parseArgs({
  options: {
    points: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '1000' },
    rows: { type: 'string', default: '1000000' },
    /** Kept, and used again where it is filled. */
    home: { type: 'string' },
    only: { type: 'string' },
  },
});
const few: Sizes = { points: 200, runs: 12, rows: 200 };
const many: Sizes = { points: Number(values.points), runs: Number(values.runs), rows: Number(values.rows) };
/** A frame of 60 a second. */
const FRAME = 1000 / 60;
/** Clocks of frames shiver by so much. */
const SHIVER = 1;

const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
const shown = (value: number) => value.toFixed(value < 100 ? 1 : 0);

function rowOf(what: string, { intervals, script, layout, longestTask, mainBlocked }: Recorded): string[] {
  const sorted = [...intervals].sort((a, b) => a - b);
  const late = sorted.filter((interval) => interval > FRAME + SHIVER).length;
  const frames = Math.max(1, intervals.length);
  return [
    what,
    String(intervals.length),
    shown(quantile(sorted, 0.5)),
    shown(quantile(sorted, 0.95)),
    shown(quantile(sorted, 0.99)),
    shown(sorted.at(-1) ?? 0),
    `${((100 * late) / frames).toFixed(0)} %`,
    shown(script / frames),
    shown(layout / frames),
    shown(longestTask),
    shown(mainBlocked),
  ];
}

async function measure(home: string, sizes: Sizes): Promise<string[][]> {
  const filled = await fill(home, sizes);
  const studio = await Studio.start(home);
  try {
    await studio.page.getByRole('navigation').first().waitFor();
    await studio.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setContentSize(1440, 900));
    const recorder = await Recorder.of(studio);
    const rows: string[][] = [];
    for (const { name, route, content, acts } of scenesOf(filled, sizes)) {
      if (values.only && !name.includes(values.only)) continue;
      await studio.go('#/settings');
      await studio.page.waitForTimeout(1500); // what the screen before began is over
      let seconds = 0;
      const opened = await recorder.record(async () => {
        const begun = performance.now();
        await studio.go(route);
        await studio.page.evaluate(
          `new Promise((done) => { const look = () => ((${content}) ? done() : requestAnimationFrame(look)); look(); })`,
        );
        seconds = (performance.now() - begun) / 1000;
      });
      rows.push(rowOf(`${name}: open, first content after ${seconds.toFixed(2)} s`, opened));
      for (const act of acts) rows.push(rowOf(`${name}: ${act.name}`, await recorder.record(() => act.act(studio))));
    }
    return rows;
  } finally {
    await studio.close();
  }
}

const head = [
  'what',
  'frames',
  'median ms',
  '95 %',
  '99 %',
  'longest',
  '> 16.7 ms',
  'script/frame',
  'layout/frame',
  'longest task',
  'main stood still',
];
const folder = await mkdtemp(join(tmpdir(), 'frames-'));
try {
  console.log(
    `${cpus()[0]?.model.trim() ?? ''}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1) ?? ''}; the display draws in software.\n`,
  );
  for (const [words, home, sizes] of [
    ['Nearly empty', join(folder, 'few'), few],
    ['Full', values.home ?? join(folder, 'many'), many],
  ] as const) {
    const measured = await measure(home, sizes);
    const [points, count, rows] = [sizes.points, sizes.runs, sizes.rows].map((size) => size.toLocaleString('en'));
    console.log(`${words}: a run of ${points} points, ${count} runs, ${rows} rows\n${table(head, measured)}\n`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
