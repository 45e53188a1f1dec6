/**
 * What the app is at when a fault comes. Each work is begun, and after the fault taken to its end from whatever was left; what then stands
 * must be what stands without a fault.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { importRequestSchema, type Run } from '../../electron/contract/entities.js';
import { StudioError } from '../../electron/contract/errors.js';
import { planSchema } from '../../electron/contract/plan.js';
import { smallStudy, timeless } from '../helpers/study.js';
import type { Copy } from './copy.js';
import { filesBelow, hashOfFile, type Stage } from './stage.js';

export interface Work {
  readonly name: string;
  /** Which data folder it begins from. */
  readonly template: 'ready' | 'old';
  /** Is a trainer at work for most of it? */
  readonly trains: boolean;
  /** The words of the command that do the same; null where it has none. */
  command(stage: Stage): readonly string[] | null;
  /** Does it to its end. @throws whatever the studio says of it */
  begin(copy: Copy, stage: Stage): Promise<unknown>;
  /** Takes what a fault left to its end and says what was found. @throws Error where something half-made looks whole */
  goOn(copy: Copy, stage: Stage): Promise<string>;
  /** What stands in the end. */
  facts(copy: Copy, stage: Stage): Promise<unknown>;
}

export const projectId = 1;
/** The finished run of the data folder that works begin from. */
export const finishedRun = 1;

const shared = { data: 'rows', device: 'cpu' };
/** A run that stands for many: dropout, validations, a checkpoint every few steps. */
export const trainPlan = planSchema.parse({
  ...shared,
  model: 'tiny',
  method: { type: 'lora', dropout: 0.1 },
  training: {
    batchSize: 8,
    maxLength: 16,
    learningRate: 0.01,
    maxSteps: 45,
    modelDropout: 0.1,
    checkpointEverySteps: 5,
    validateEverySteps: 15,
  },
});
/** Spends most of its time on writing checkpoints. */
const checkpointPlan = planSchema.parse({
  ...shared,
  model: 'wide',
  method: { type: 'full' },
  training: { batchSize: 4, maxLength: 16, maxSteps: 12, checkpointEverySteps: 1, validateEverySteps: 6 },
});

export async function factsOfRun(copy: Copy, home: string, run: Run): Promise<unknown> {
  const { steps, validations } = await copy.call('runs.history', { id: run.id, afterStep: 0 });
  return {
    losses: steps.map(({ step, loss }) => [step, loss]),
    validations: validations.map(({ step, loss, best }) => [step, loss, best]),
    test: run.result?.test ?? null,
    file: await hashOfFile(join(home, 'runs', String(run.id), 'trained.safetensors')),
  };
}

const newest = (list: readonly Run[]) =>
  list.reduce<Run | null>((last, run) => (run.id > (last?.id ?? 0) ? run : last), null);

/** The run that a work began; null where the fault came first. */
export async function newRun(copy: Copy): Promise<Run | null> {
  const last = newest(await copy.call('runs.list', { projectId }));
  return last === null || last.id === finishedRun ? null : last;
}

/** A problem must say what it is and what to do. */
export function requireTyped(problem: {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}) {
  if (problem.code === 'internal' || !problem.hint)
    throw new Error(`The problem is not one for a user: ${JSON.stringify(problem)}`);
}

/** Resumes a run until it is finished; says where it stood. */
export async function finishRun(copy: Copy, run: Run): Promise<string> {
  let known = run;
  // One of this copy may still be at work; that of another copy that was killed is marked within seconds.
  if (known.state === 'preparing' || known.state === 'running') known = await copy.runEnded(run.id);
  const found = `${known.state} at step ${known.step}${known.problem ? ` (${known.problem.code})` : ''}`;
  if (known.problem) requireTyped(known.problem);
  if (known.state !== 'finished') {
    if (known.state === 'cancelled') throw new Error('Nobody cancelled the run.');
    await copy.call('runs.resume', { id: run.id });
    known = await copy.runEnded(run.id);
    if (known.state !== 'finished')
      throw new Error(`The run did not resume: ${known.state}, ${JSON.stringify(known.problem)}`);
  }
  return found;
}

function training(name: string, plan: typeof trainPlan, planFile: string): Work {
  const begin = async (copy: Copy) => {
    const [run] = await copy.call('runs.start', { projectId, plans: [plan], initFolder: null });
    return copy.runEnded(run?.id ?? 0);
  };
  return {
    name,
    template: 'ready',
    trains: true,
    command: ({ inputs }) => ['run', join(inputs, planFile), '--project', 'Trial'],
    begin,
    goOn: async (copy) => {
      const run = await newRun(copy);
      if (run !== null) return finishRun(copy, run);
      const ended = await begin(copy);
      if (ended.state !== 'finished') throw new Error(`The run did not finish: ${JSON.stringify(ended.problem)}`);
      return 'not begun, begun anew';
    },
    facts: async (copy, { home }) => {
      const run = await newRun(copy);
      if (run === null) throw new Error('There is no run.');
      return factsOfRun(copy, home, run);
    },
  };
}

/** Tries again while it is refused because another copy was at it; that one's end is noticed within seconds. */
async function untilFree<T>(attempt: () => Promise<T>): Promise<T> {
  for (const limit = Date.now() + 20_000; ; await pause(300))
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof StudioError) || error.code !== 'conflict' || Date.now() > limit) throw error;
    }
}

const importing: Work = {
  name: 'import',
  template: 'ready',
  trains: false,
  command: ({ inputs }) =>
    ['data', 'add', join(inputs, 'many.csv'), '--name', 'many', '--text', 'text', '--label', 'topic'].concat([
      '--validation',
      '0.1',
      '--test',
      '0.1',
      '--seed',
      '1',
      '--project',
      'Trial',
    ]),
  begin: async (copy, { inputs }) =>
    copy.finished(
      await copy.call(
        'datasets.import',
        importRequestSchema.parse({
          projectId,
          name: 'many',
          path: join(inputs, 'many.csv'),
          textColumn: 'text',
          labelColumn: 'topic',
          validation: 0.1,
          test: 0.1,
          seed: 1,
        }),
      ),
    ),
  goOn: async (copy, stage) => {
    if ((await copy.call('datasets.list', { projectId })).some(({ name }) => name === 'many')) return 'whole';
    // What another copy that was killed had begun stands in its way until that is noticed.
    await untilFree(() => importing.begin(copy, stage));
    return 'absent, imported anew';
  },
  facts: async (copy) => {
    const set = (await copy.call('datasets.list', { projectId })).find(({ name }) => name === 'many');
    if (set === undefined) throw new Error('The data set is not there.');
    const hash = createHash('sha256');
    const page = 5000;
    for (let offset = 0, total = 1; offset < total; offset += page) {
      const rows = await copy.call('datasets.rows', { id: set.id, offset, limit: page });
      total = rows.total;
      for (const { text, label } of rows.rows) hash.update(JSON.stringify([text, label]));
    }
    return { rows: set.rows, contentHash: set.contentHash, content: hash.digest('hex') };
  },
};

const exportTo = ({ outside }: Stage) => join(outside, 'adapter');
const exporting: Work = {
  name: 'export',
  template: 'ready',
  trains: true,
  command: (stage) => [
    'export',
    String(finishedRun),
    '--format',
    'merged',
    '--to',
    exportTo(stage),
    '--project',
    'Trial',
  ],
  begin: async (copy, stage) =>
    copy.finished(await copy.call('exports.start', { runId: finishedRun, format: 'merged', folder: exportTo(stage) })),
  goOn: async (copy, stage) => {
    const listed = (await copy.call('exports.list', { projectId })).some(({ folder }) => folder === exportTo(stage));
    const there = (await filesBelow(exportTo(stage))).length > 0;
    if (listed && !there) throw new Error('An export is listed that is not there.');
    if (!there) await exporting.begin(copy, stage);
    return there ? (listed ? 'whole' : 'whole, not yet listed') : 'absent, exported anew';
  },
  facts: async (_copy, stage) => {
    const files = await filesBelow(exportTo(stage));
    const hashed = files.filter((name) => !name.endsWith('.md'));
    return {
      files,
      hashes: await Promise.all(hashed.map((name) => hashOfFile(join(exportTo(stage), name)))),
    };
  },
};

/** What a project holds that came in by a file. */
async function factsOfProject(copy: Copy, home: string, id: number): Promise<unknown> {
  const sets = await copy.call('datasets.list', { projectId: id });
  const runs = await copy.call('runs.list', { projectId: id });
  return {
    sets: sets.map(({ name, rows, contentHash }) => ({ name, rows, contentHash })),
    runs: await Promise.all(runs.map((run) => factsOfRun(copy, home, run))),
  };
}

const imported = async (copy: Copy) =>
  (await copy.call('projects.list', { archived: false })).filter(({ id }) => id !== projectId);

async function onlyImported(copy: Copy): Promise<number> {
  const [project, ...more] = await imported(copy);
  if (project === undefined || more.length > 0)
    throw new Error(`${more.length + (project ? 1 : 0)} projects were imported.`);
  return project.id;
}

const projectFile = ({ outside }: Stage) => join(outside, 'trial.zip');
const projectExport: Work = {
  name: 'project-export',
  template: 'ready',
  trains: false,
  command: () => null,
  begin: async (copy, stage) =>
    copy.finished(await copy.call('projects.export', { id: projectId, path: projectFile(stage) })),
  goOn: async (copy, stage) => {
    const there = await stat(projectFile(stage)).then(
      () => true,
      () => false,
    );
    if (!there) await projectExport.begin(copy, stage);
    // Reading it back checks every hash in it.
    if ((await imported(copy)).length === 0)
      await copy.finished(await copy.call('projects.import', { path: projectFile(stage) }));
    return there ? 'whole' : 'absent, exported anew';
  },
  facts: async (copy, { home }) => factsOfProject(copy, home, await onlyImported(copy)),
};

const projectImport: Work = {
  name: 'project-import',
  template: 'ready',
  trains: false,
  command: () => null,
  begin: async (copy, { inputs }) =>
    copy.finished(await copy.call('projects.import', { path: join(inputs, 'trial.zip') })),
  goOn: async (copy, stage) => {
    if ((await imported(copy)).length > 0) return 'whole';
    await projectImport.begin(copy, stage);
    return 'absent, imported anew';
  },
  facts: async (copy, { home }) => factsOfProject(copy, home, await onlyImported(copy)),
};

/** Opening the data folder is the work: the first version's database is copied aside and brought up to date. */
const migrating: Work = {
  name: 'migration',
  template: 'old',
  trains: false,
  command: () => ['data', 'list', '--project', 'Command line'],
  begin: (copy, { home }) => copy.open(home),
  goOn: async (_copy, { home }) => {
    const kept = (await filesBelow(home)).find((name) => /^studio\.db\.before-version-\d+$/.test(name));
    if (kept === undefined) throw new Error('No copy of the old database was kept.');
    const header = (await readFile(join(home, kept))).subarray(0, 15).toString();
    if (header !== 'SQLite format 3') throw new Error('The copy of the old database is no database.');
    return 'migrated';
  },
  facts: async (copy) => {
    const run = await copy.call('runs.get', { id: 1 });
    const history = await copy.call('runs.history', { id: 1, afterStep: 0 });
    const rows = await copy.call('datasets.rows', { id: 1, offset: 0, limit: 40 });
    return { run: { ...run }, history, rows };
  },
};

const study = smallStudy({
  methods: [{ type: 'head' }],
  seeds: [1],
  learningRates: [0.02],
  training: { maxSteps: 6, batchSize: 8, maxLength: 16, checkpointEverySteps: 3 },
});
const studying: Work = {
  name: 'study',
  template: 'ready',
  trains: true,
  command: ({ inputs }) => ['study', join(inputs, 'study.json'), '--project', 'Trial'],
  begin: async (copy) => {
    const { id } = await copy.call('studies.start', { projectId, study, goOn: true });
    return copy.studyEnded(id);
  },
  goOn: async (copy) => {
    let [known] = await copy.call('studies.list', { projectId });
    if (known?.state === 'running') known = { ...known, ...(await copy.studyEnded(known.id)) };
    const found = known ? `${known.state} after ${known.progress.done} runs` : 'not begun';
    if (known?.problem) requireTyped(known.problem);
    if (known?.state === 'finished') return found;
    const { id } =
      known === undefined
        ? await copy.call('studies.start', { projectId, study, goOn: true })
        : await copy.call('studies.resume', { id: known.id });
    const ended = await copy.studyEnded(id);
    if (ended.state !== 'finished')
      throw new Error(`The study did not finish: ${ended.state}, ${JSON.stringify(ended.problem)}`);
    return found;
  },
  facts: async (copy) => {
    const [known, ...more] = await copy.call('studies.list', { projectId });
    if (known === undefined || more.length > 0) throw new Error(`There are ${more.length} more studies than one.`);
    return timeless((await copy.call('studies.report', { id: known.id })).report);
  },
};

/** What files the works' commands read. */
export const planFiles = { 'train.json': trainPlan, 'checkpoint.json': checkpointPlan, 'study.json': study };

export const works = {
  import: importing,
  train: training('train', trainPlan, 'train.json'),
  checkpoint: training('checkpoint', checkpointPlan, 'checkpoint.json'),
  export: exporting,
  'project-export': projectExport,
  'project-import': projectImport,
  migration: migrating,
  study: studying,
} as const;
export type WorkName = keyof typeof works;

/** What trains takes longest, and studies most of all: they come less often. */
const quick: readonly WorkName[] = ['import', 'project-import', 'migration', 'project-export'];
export const mixedWorks: readonly WorkName[] = [
  quick,
  quick,
  quick,
  quick,
  ['train', 'export', 'checkpoint', 'train', 'study'] as const,
].flat();
