/** Studies as the window and the command call them: checked, started, stopped, gone on with, told of. */
import type { Handlers } from '../../contract/calls.js';
import type { Study, StudyRun } from '../../contract/entities.js';
import { StudioError } from '../../contract/errors.js';
import { measureKinds } from '../../evaluation/index.js';
import { runs, studies } from '../../storage/index.js';
import { changed, now, runFolder, type Context } from '../context.js';
import { bytesBelow } from '../files.js';
import { namesOf } from '../plan.js';
import { askedOf, requirePossible } from './asked.js';
import { reportExport } from './export.js';
import { kindOf, kinds } from './kinds/index.js';
import type { Asked, Ended } from './kinds/kind.js';
import { questionOf, reportOf, titleOf } from './report.js';
import type { StudyRunner } from './runner.js';
import { removeWithFolders } from '../removals.js';

type Group = Pick<Handlers, Extract<keyof Handlers, `studies.${string}`>>;

const nothing: Ended = new Map();

/** Equal for studies that make the same runs; their names do not count. */
const planKey = ({ plan: { name: _name, ...plan } }: Pick<Study, 'plan'>) => JSON.stringify(plan);

export function studyCalls(context: Context, runner: StudyRunner, version: string): Group {
  const { database, presence } = context;

  async function begin(asked: Asked, name: string): Promise<Study> {
    const total = kindOf(asked.plan.kind).steps(asked, nothing).length;
    const id = await studies.insertStudy(database, {
      projectId: asked.projectId,
      name,
      plan: asked.plan,
      progress: { done: 0, total, secondsLeft: null, doing: '' },
      createdAt: now(),
      worker: presence.id,
    });
    return go(id);
  }

  async function go(id: number): Promise<Study> {
    const study = await studies.getStudy(database, id);
    context.emit('study', study);
    changed(context, 'studies', study.projectId);
    runner.take(id);
    return study;
  }

  async function resume(study: Study): Promise<Study> {
    await context.unwritten.retry();
    await studies.updateStudy(database, study.id, {
      state: 'running',
      problem: null,
      endedAt: null,
      worker: presence.id,
    });
    return go(study.id);
  }

  /** Throws StudioError 'conflict' for a study that another process carries out. */
  async function requireOurs({ id, state }: Study): Promise<void> {
    if (state !== 'running' || runner.isActive(id)) return;
    const worker = await studies.workerOf(database, id);
    if (worker === null || worker === presence.id || !(await presence.isAlive(worker))) return;
    throw new StudioError(
      'conflict',
      `Study ${id} belongs to another PEFT Studio that is at work in this data folder (its window or a command).`,
      'Pause or cancel it there, or wait until it has ended.',
      { state },
    );
  }

  async function stop(id: number, wish: 'pause' | 'cancel'): Promise<Study> {
    const study = await studies.getStudy(database, id);
    await requireOurs(study);
    if (runner.isActive(id)) await runner.ask(id, wish);
    else if (
      wish === 'cancel' &&
      (study.state === 'paused' || study.state === 'interrupted' || study.state === 'running')
    )
      await studies.updateStudy(database, id, { state: 'cancelled' });
    else
      throw new StudioError(
        'conflict',
        `Study ${id} is ${study.state} and cannot be ${wish === 'pause' ? 'paused' : 'cancelled'}.`,
        null,
        { state: study.state },
      );
    const stopped = await studies.getStudy(database, id);
    context.emit('study', stopped);
    return stopped;
  }

  const report: Group['studies.report'] = async ({ id }) => {
    const study = await studies.getStudy(database, id);
    const stored = await studies.readReport(database, id);
    // A study that was gone on with may have an old one.
    if (stored && study.state === 'finished') return { whole: true, report: { ...stored, title: study.name } };
    return { whole: false, report: await reportOf(context, version, study, await runner.standing(study)) };
  };

  return {
    'studies.kinds': async () =>
      Object.values(kinds).map(({ kind, title, question, leastData }) => ({
        kind,
        title,
        question,
        leastData,
      })),
    'studies.list': async ({ projectId }) =>
      (await studies.listStudies(database, projectId)).map((study) => runner.decorate(study)),
    'studies.get': async ({ id }) => runner.decorate(await studies.getStudy(database, id)),
    'studies.check': async ({ projectId, study }) => {
      const asked = await askedOf(context, projectId, study);
      await requirePossible(context, asked);
      const spec = kindOf(asked.plan.kind);
      return {
        study: asked.plan,
        name: titleOf(asked),
        question: questionOf(asked),
        runs: spec.steps(asked, nothing).length,
        protocol: spec.protocol(asked),
        methods: asked.methods.map(({ options, methodName, setting, learningRates }) => ({
          type: options.type,
          methodName,
          setting,
          learningRates: [...learningRates],
        })),
        notes:
          asked.plan.seeds.length < 2
            ? [
                `With one seed nothing can be shown to be equal in ${measureKinds[asked.measure].name}: give three or more.`,
              ]
            : [],
      };
    },
    'studies.start': async ({ projectId, study, goOn }) => {
      const asked = await askedOf(context, projectId, study);
      if (goOn) {
        const key = planKey(asked);
        const found = (await studies.listStudies(database, projectId)).find((one) => planKey(one) === key);
        if (found) {
          await requireOurs(found);
          return found.state === 'finished' || runner.isActive(found.id) ? found : resume(found);
        }
      }
      await requirePossible(context, asked);
      return begin(asked, titleOf(asked));
    },
    'studies.pause': ({ id }) => stop(id, 'pause'),
    'studies.cancel': ({ id }) => stop(id, 'cancel'),
    'studies.resume': async ({ id }) => {
      const study = await studies.getStudy(database, id);
      await requireOurs(study);
      if (study.state === 'finished')
        throw new StudioError('conflict', `Study ${id} is finished.`, 'Repeat it for another.', { state: study.state });
      return runner.isActive(id) ? study : resume(study);
    },
    'studies.rename': async ({ id, name }) => {
      await studies.getStudy(database, id);
      await studies.updateStudy(database, id, { name });
      const study = await studies.getStudy(database, id);
      context.emit('study', study);
      changed(context, 'studies', study.projectId);
      return study;
    },
    'studies.removal': async ({ id, runs: withRuns }) => {
      const study = await studies.getStudy(database, id);
      const own = await studies.runsOfStudy(database, id);
      let bytes = 0;
      if (withRuns) for (const { runId } of own) bytes += await bytesBelow(runFolder(context.home, runId));
      const count = `${own.length} ${own.length === 1 ? 'run' : 'runs'}`;
      return {
        title: `Delete the study ${study.name}?`,
        lines: [
          'Its plan and its report. Exported reports stay.',
          withRuns
            ? `Its ${count} with their curves, test answers and trained parameters.`
            : `Its ${count} stay in the project as runs of their own.`,
        ],
        bytes,
        ...(study.state === 'running' ? { blocked: 'It is under way: pause or cancel it first.' } : {}),
      };
    },
    'studies.remove': async ({ id, runs: withRuns }) => {
      const study = await studies.getStudy(database, id);
      await requireOurs(study);
      if (runner.isActive(id))
        throw new StudioError('conflict', `Study ${id} is under way.`, 'Pause or cancel it first.');
      const own = withRuns ? await studies.runsOfStudy(database, id) : [];
      const folders = own.map(({ runId }) => runFolder(context.home, runId));
      await removeWithFolders(context, folders, () =>
        database.transaction(async (sql) => {
          for (const { runId } of own) await runs.deleteRun(sql, runId);
          await studies.deleteStudy(sql, id);
        }),
      );
      changed(context, 'studies', study.projectId);
      changed(context, 'runs', study.projectId);
      changed(context, 'projects');
      return { done: true };
    },
    'studies.repeat': async ({ id }) => {
      const study = await studies.getStudy(database, id);
      const asked = await askedOf(context, study.projectId, study.plan);
      await requirePossible(context, asked);
      return begin(asked, study.name);
    },
    'studies.runs': async ({ id }) => {
      const { steps, made } = await runner.standing(await studies.getStudy(database, id));
      return steps.map(({ key, role, plan, dataset, method, size, seed }): StudyRun => {
        const run = made.get(key);
        const { methodName, setting } = namesOf({ method: method.options, verbalizer: null });
        return {
          runId: run?.id ?? null,
          state: run?.state ?? 'planned',
          role,
          methodName,
          setting,
          data: dataset.name,
          seed,
          examplesPerClass: size,
          learningRate: plan?.training.learningRate ?? null,
        };
      });
    },
    'studies.report': report,
    'studies.exportReport': reportExport(context, report),
  };
}
