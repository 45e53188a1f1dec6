/** Projects: made, changed, copied, deleted, and the sample that a first start offers. */
import type { Handlers } from '../contract/calls.js';
import type { Project, Run } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { measureTable } from '../contract/measures.js';
import { objectiveTable } from '../contract/objectives.js';
import { settingKey } from '../contract/setting.js';
import { meanWithInterval } from '../evaluation/index.js';
import { datasets, projects, runs } from '../storage/index.js';
import type { ProjectRecord } from '../storage/projects.js';
import { changed, datasetFolder, now, runFolder, type Context } from './context.js';
import { bytesBelow } from './files.js';
import { ensureStarter } from './models.js';
import { findSample, importSample } from './samples.js';
import { exportProject, importProject } from './transfer/index.js';
import { removeWithFolders } from './removals.js';

type Group = Pick<
  Handlers,
  | 'projects.list'
  | 'projects.get'
  | 'projects.find'
  | 'projects.create'
  | 'projects.createSample'
  | 'projects.update'
  | 'projects.duplicate'
  | 'projects.removal'
  | 'projects.remove'
  | 'projects.export'
  | 'projects.import'
>;

/** The setting whose runs score best on average. Chosen by validation where there is one, since test is for reporting. */
function bestOf(list: readonly Run[]): Project['best'] {
  // Perplexities of different data or templates do not rank: a project's best is of its other runs.
  const ranked = list.filter(({ state, plan, result }) => {
    const [main] = objectiveTable[plan.objective].measures;
    return (
      state === 'finished' && measureTable[main].difference === 'points' && typeof result?.test?.[main] === 'number'
    );
  });
  const [newest] = ranked;
  if (!newest) return null;
  const { objective } = newest.plan;
  const [measure] = objectiveTable[objective].measures;
  const groups = new Map<string, Run[]>();
  for (const run of ranked)
    if (run.plan.objective === objective) groups.set(settingKey(run), [...(groups.get(settingKey(run)) ?? []), run]);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [chosen] = [...groups.values()]
    .map((group) => ({
      group,
      score: mean(group.map(({ result }) => result?.validation?.[measure] ?? result?.test?.[measure] ?? 0)),
    }))
    .sort((a, b) => b.score - a.score);
  const first = chosen?.group[0];
  if (!chosen || !first) return null;
  const { mean: value, interval } = meanWithInterval(
    chosen.group.map(({ result }) => result?.test?.[measure] ?? 0),
    measureTable[measure].bounds,
  );
  return {
    method: first.plan.method,
    label: first.methodName,
    measure,
    value,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    seeds: chosen.group.length,
  };
}

export function projectCalls(context: Context): Group {
  const { database, home } = context;

  async function full(record: ProjectRecord): Promise<Project> {
    const list = await runs.listRuns(database, record.id);
    const sets = await datasets.listDatasets(database, record.id);
    const sizes = await Promise.all([
      ...list.map((run) => bytesBelow(runFolder(home, run.id))),
      ...sets.map((set) => bytesBelow(datasetFolder(home, set.id))),
    ]);
    return { ...record, bytes: sizes.reduce((sum, size) => sum + size, 0), best: bestOf(list) };
  }
  const get = async (id: number) => full(await projects.getProject(database, id));

  async function create(name: string, description: string): Promise<Project> {
    if (await projects.findProject(database, name))
      throw new StudioError(
        'conflict',
        `A project named "${name}" is there already.`,
        'Give the new one another name.',
        { name },
      );
    const id = await projects.insertProject(database, { name, description, createdAt: now() });
    changed(context, 'projects');
    return get(id);
  }

  async function freeName(name: string): Promise<string> {
    for (let i = 1; ; i++) {
      const tried = i === 1 ? name : `${name} ${i}`;
      if (!(await projects.findProject(database, tried))) return tried;
    }
  }

  async function createSample(id: string | null): Promise<Project> {
    const sample = await findSample(context, id);
    await ensureStarter(context);
    const project = await create(await freeName(`Sample: ${sample.title}`), sample.description);
    await importSample(context, project.id, sample).catch((error: unknown) => takeBack(project.id, error));
    return get(project.id);
  }

  /** Deletes a project that could not be filled, now or when the disk has room for it, and rethrows why. */
  async function takeBack(id: number, error: unknown): Promise<never> {
    const remove = () => projects.deleteProject(database, id);
    await remove().catch(() => context.unwritten.add(remove));
    throw error;
  }

  async function duplicate(id: number, name: string): Promise<Project> {
    const original = await projects.getProject(database, id);
    const copy = await create(name, original.description);
    const copying = database.transaction(async (sql) => {
      for (const set of await datasets.listDatasets(sql, id)) {
        const request = await datasets.getImportRequest(sql, set.id);
        const made = await datasets.beginDataset(
          sql,
          { ...request, projectId: copy.id, name: set.name },
          now(),
          context.presence.id,
        );
        await datasets.copyRows(sql, set.id, made);
        await datasets.finishDataset(sql, made, set);
      }
    });
    await copying.catch((error: unknown) => takeBack(copy.id, error));
    changed(context, 'datasets', copy.id);
    return get(copy.id);
  }

  return {
    'projects.list': async ({ archived }) => Promise.all((await projects.listProjects(database, archived)).map(full)),
    'projects.get': ({ id }) => get(id),
    'projects.find': async ({ name }) => {
      const found = await projects.findProject(database, name);
      return found && { id: found.id };
    },
    'projects.create': ({ name, description }) => create(name.trim(), description),
    'projects.createSample': ({ sample }) => createSample(sample),
    'projects.update': async ({ id, name, description, archived }) => {
      const record = await projects.getProject(database, id);
      const other = name === undefined ? null : await projects.findProject(database, name);
      if (other && other.id !== id)
        throw new StudioError('conflict', `A project named "${name}" is there already.`, 'Choose another name.');
      if (archived === true && record.runsActive > 0)
        throw new StudioError(
          'conflict',
          `${record.runsActive} runs of the project are under way.`,
          'Wait for them or cancel them first.',
        );
      await projects.updateProject(database, id, {
        name,
        description,
        ...(archived === undefined ? {} : { archivedAt: archived ? now() : null }),
      });
      changed(context, 'projects');
      return get(id);
    },
    'projects.duplicate': ({ id, name }) => duplicate(id, name),
    'projects.removal': async ({ id }) => {
      const project = await get(id);
      const count = (n: number, what: string) => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;
      return {
        title: `Delete the project ${project.name}?`,
        lines: [
          `${count(project.datasets, 'data set')} with their imported rows. The files they came from stay.`,
          `${count(project.runs, 'run')} with curves, scores and trained parameters.`,
          'Exported folders and base models stay.',
        ],
        bytes: project.bytes,
        ...(project.runsActive > 0
          ? {
              blocked: `${count(project.runsActive, 'run')} of it ${project.runsActive === 1 ? 'is' : 'are'} under way. Wait or cancel first.`,
            }
          : {}),
      };
    },
    'projects.remove': async ({ id }) => {
      const record = await projects.getProject(database, id);
      if (record.runsActive > 0)
        throw new StudioError(
          'conflict',
          `${record.runsActive} runs of the project are under way.`,
          'Cancel them first.',
        );
      const folders = [
        ...(await runs.listRuns(database, id)).map((run) => runFolder(home, run.id)),
        ...(await datasets.listDatasets(database, id)).map((set) => datasetFolder(home, set.id)),
      ];
      await removeWithFolders(context, folders, () => database.transaction((sql) => projects.deleteProject(sql, id)));
      changed(context, 'projects');
      return { done: true };
    },
    'projects.export': async ({ id, path }) => {
      const { name } = await projects.getProject(database, id);
      return context.jobs.start('project-export', `Export ${name}`, (handle) =>
        exportProject(context, id, path, handle),
      );
    },
    'projects.import': async ({ path }) =>
      context.jobs.start('project-import', 'Import a project', async (handle) =>
        get(await importProject(context, path, freeName, handle)),
      ),
  };
}
