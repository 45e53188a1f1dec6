/** Studies by the command: every process real, the model tiny. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { reportSchema, type Report } from '../../../electron/contract/entities.js';
import { buildCommand, removeCommand, runCommand, type Ended } from '../../helpers/command.js';
import { smallStudy, timeless } from '../../helpers/study.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';

let folder: string;
const at = (name: string) => join(folder, name);
const reportIn = ({ events }: Ended): Report => {
  const last = events.at(-1);
  expect(last?.event).toBe('report');
  return reportSchema.parse(last);
};

/** A data folder of its own with the model and the data. */
async function home(name: string): Promise<string> {
  const words = ['--home', at(name)];
  await runCommand(['model', 'add', at('tiny'), '--name', 'tiny', ...words]);
  const options = ['--text', 'text', '--label', 'label', '--validation', '0.2', '--test', '0.3', '--seed', '1'];
  await runCommand(['data', 'add', at('rows.csv'), '--name', 'rows', ...options, ...words]);
  return at(name);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'study-'));
  const rows = tinyRows(200).map(({ text, label }) => `${text},${label}`);
  await Promise.all([
    buildCommand(),
    makeTinyModel(at('tiny')),
    writeFile(at('rows.csv'), ['text,label', ...rows].join('\n')),
    writeFile(at('study.json'), JSON.stringify(smallStudy())),
  ]);
}, 120_000);
afterAll(removeCommand);

it(
  'a study whose command is killed goes on where it was; its report repeats it elsewhere',
  { timeout: 480_000 },
  async () => {
    const words = ['--home', await home('first')];
    let steps = 0;
    const cut = await runCommand(['study', at('study.json'), ...words], ({ event }, child) => {
      steps += Number(event === 'step');
      if (steps === 100) child.kill('SIGKILL');
    });
    expect(cut.events.map(({ event }) => event)).not.toContain('report');
    expect(cut.events[0]).toMatchObject({ event: 'study', study: 1, total: 9 });

    const finished = await runCommand(['study', at('study.json'), ...words]);
    expect(finished.code).toBe(0);
    const report = reportIn(finished);
    // Runs that had ended before the kill are not made again.
    expect(report.provenance.runs).toHaveLength(9);
    expect(finished.events.filter(({ event }) => event === 'start').length).toBeLessThan(9);
    // Given once more it answers at once.
    const again = await runCommand(['study', at('study.json'), ...words]);
    expect(again.events.map(({ event }) => event)).toEqual(['study', 'report']);
    expect(await runCommand(['study', 'list', ...words])).toMatchObject({
      events: [{ event: 'study', study: 1, kind: 'quality', state: 'finished', done: 9, total: 9 }],
    });

    // The same report as files, by their names and by --format.
    for (const file of ['page.html', 'page.pdf', 'numbers.csv', 'whole.json']) {
      const written = await runCommand(['study', 'report', '1', '--out', at(file), ...words]);
      expect(written.events).toEqual([{ event: 'report-file', study: 1, format: file.split('.')[1], path: at(file) }]);
    }
    expect(reportSchema.parse(JSON.parse(await readFile(at('whole.json'), 'utf8')))).toEqual(report);
    expect((await readFile(at('page.pdf'))).subarray(0, 5).toString()).toBe('%PDF-');
    const page = await readFile(at('page.html'), 'utf8');
    for (const { contentHash } of report.provenance.data) expect(page).toContain(contentHash);
    const unnamed = await runCommand(['study', 'report', '1', '--out', at('report'), ...words]);
    expect(unnamed.events[0]).toMatchObject({ event: 'error', message: expect.stringContaining('does not say') });

    // What to ship by it, and what no study has measured; a limit of nothing is refused, as is data without a study.
    const advice = await runCommand(['advise', '--max-latency', '5', '--max-disk', '900', ...words]);
    expect(advice.events).toMatchObject([
      { event: 'advice', recommended: null, missing: [{ limit: 'latency', kind: 'inference' }], limits: { disk: 9e8 } },
    ]);
    const free = await runCommand(['advise', '--data', 'rows', '--examples', 'all', ...words]);
    expect(free.events).toMatchObject([{ event: 'advice', verdict: expect.stringMatching(/^Ship /) as string }]);
    for (const wrong of [
      ['--max-disk', '0'],
      ['--data', 'nothing'],
      ['--cheapest-by', 'taste'],
    ])
      expect(await runCommand(['advise', ...wrong, ...words])).toMatchObject({ code: 1, events: [{ event: 'error' }] });

    await writeFile(at('report.json'), JSON.stringify(report));
    const elsewhere = await runCommand(['study', at('report.json'), '--home', await home('second')]);
    expect(timeless(reportIn(elsewhere))).toEqual(timeless(report));
  },
);
