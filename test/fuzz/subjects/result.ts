/** Results of plans that were taken to peft: what train.py writes, up to the parameters, which are read as any adapter. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { importRequestSchema, type Scores } from '../../../electron/contract/entities.js';
import { StudioError } from '../../../electron/contract/errors.js';
import { classAnswers, numberAnswers } from '../../../electron/evaluation/index.js';
import { openStudio, type Studio } from '../../../electron/studio/index.js';
import { writeResult } from '../../helpers/further.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';
import type { FileSet, Subject } from '../subject.js';
import { valueChange, type Json } from '../values.js';

let studio: Studio;
let projectId = 0;
let whole: readonly FileSet[] = [];
/** All that the files say was taken: the trainer is asked to prove the parameters. */
let proving = false;

async function jobEnd({ jobId }: { jobId: string }): Promise<void> {
  for (;;) {
    const job = (await studio.handlers['jobs.list']({})).find(({ id }) => id === jobId);
    if (job === undefined || job.state === 'running') await new Promise((done) => setTimeout(done, 2));
    else if (job.problem) throw StudioError.fromProblem(job.problem);
    else return;
  }
}

/** A data set of `rows`, a plan on it taken further, and a result with answers that are made up. */
async function seedOf(
  work: string,
  task: 'classification' | 'regression',
  rows: readonly { text: string; label: string }[],
  answer: (truth: readonly string[], labels: readonly string[]) => { logits: number[][]; scores: Scores },
): Promise<FileSet> {
  const { handlers } = studio;
  const file = join(work, `${task}.jsonl`);
  await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const asked = { projectId, path: file, name: task, task, textColumn: 'text', labelColumn: 'label' };
  const splits = { validation: 0.2, test: 0.25 };
  await jobEnd(await handlers['datasets.import'](importRequestSchema.parse({ ...asked, ...splits })));
  const plan = {
    model: 'tiny',
    data: task,
    method: { type: 'lora', rank: 2 },
    training: { maxSteps: 2, maxLength: 16 },
  };
  const folder = join(work, `further-${task}`);
  await jobEnd(await handlers['further.write']({ projectId, from: { plan }, folder, model: false } as never));
  const out = join(folder, 'result');
  await mkdir(out, { recursive: true });
  const test = (await readFile(join(folder, 'data', 'test.jsonl'), 'utf8')).trim().split('\n');
  const setup = JSON.parse(await readFile(join(folder, 'setup.json'), 'utf8')) as { labels: string[] | null };
  const { logits, scores } = answer(
    test.map((line) => (JSON.parse(line) as { label: string }).label),
    setup.labels ?? [],
  );
  await writeResult(folder, out, { logits, test: scores, validation: scores });
  const files = ['result.json', 'setup.json'] as const;
  return new Map(await Promise.all(files.map(async (name) => [name, await readFile(join(out, name))] as const)));
}

const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
/** Changed within, with a result that vouches for whatever its setup has become. */
const made = fc
  .record({
    at: fc.nat(),
    setup: fc.array(valueChange, { maxLength: 1 }),
    result: fc.array(valueChange, { maxLength: 2 }),
  })
  .map(({ at, setup: ofSetup, result: ofResult }): FileSet => {
    const files = whole[at % whole.length];
    const changed = (name: string, changes: typeof ofSetup) =>
      changes.reduce<Json>((value, change) => change(value), JSON.parse(String(files?.get(name))) as Json);
    const setup = Buffer.from(JSON.stringify(changed('setup.json', ofSetup)));
    const told = changed('result.json', ofResult);
    const vouched = typeof told === 'object' && !Array.isArray(told) ? { ...told, setup: sha(setup) } : told;
    return new Map([
      ['setup.json', setup],
      ['result.json', Buffer.from(JSON.stringify(vouched))],
    ]);
  });

export const resultSubject: Subject = {
  name: 'result',
  share: 5,
  made,
  async seeds(work) {
    studio = await openStudio({
      home: join(work, 'data folder'),
      spawnTrainer: () => {
        proving = true;
        throw new StudioError('trainer-lost', 'Nothing is proved here.', 'The files are read.');
      },
      emit: () => undefined,
      startQueued: false,
      checkDevices: false,
      assets: resolve('native-assets'),
    });
    const { handlers } = studio;
    projectId = (await handlers['projects.create']({ name: 'Results', description: '' })).id;
    await makeTinyModel(join(work, 'tiny'), { layers: 1, hiddenSize: 8, intermediateSize: 8 });
    await handlers['models.add']({ folder: join(work, 'tiny'), name: 'tiny' });
    const rows = tinyRows(40);
    whole = [
      await seedOf(work, 'classification', rows, (truth, labels) => {
        const logits = truth.map((_, row) => labels.map((__, label) => ((row * 7 + label * 3) % 5) - 2));
        const classes = truth.map((label) => labels.indexOf(label));
        return { logits, scores: classAnswers(logits.flat(), classes, labels.length).scores };
      }),
      await seedOf(
        work,
        'regression',
        rows.map(({ text }) => ({ text, label: String(text.length / 10) })),
        (truth) => {
          const logits = truth.map((label, row) => [Number(label) + ((row % 3) - 1) / 4]);
          return { logits, scores: numberAnswers(logits.flat(), truth.map(Number)).scores };
        },
      ),
    ];
    return whole;
  },
  async read(folder) {
    proving = false;
    try {
      await jobEnd(await studio.handlers['further.back']({ projectId, folder }));
    } catch (error) {
      if (!proving) throw error;
    }
  },
};
