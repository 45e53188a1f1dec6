/** What can be done with a whole project from its card. Failures are shown as notices. */
import { projectSchema, type Project } from '../../../electron/contract/index.js';
import { call } from '../../state/client.js';
import { jobs } from '../../state/jobs.svelte.js';
import { projects } from '../../state/projects.svelte.js';
import { projectHref, router } from '../../state/router.svelte.js';
import { toasts } from '../../state/toasts.svelte.js';
import { t } from '../../language.js';

async function guarded(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    toasts.problem(error);
  }
}

export const archiveProject = (project: Project): Promise<void> =>
  guarded(async () => {
    const archived = project.archivedAt === null;
    await projects.update(project.id, { archived });
    toasts.show(
      archived
        ? t('{project} is in the archive.', { project: project.name })
        : t('{project} is back among the projects.', { project: project.name }),
      {
        action: {
          label: t('Undo'),
          run: () => void guarded(() => projects.update(project.id, { archived: !archived })),
        },
      },
    );
  });

export const deleteProject = (project: Project): Promise<void> =>
  guarded(async () => {
    if (!(await projects.remove(project.id, t('{project} was deleted.', { project: project.name })))) return;
    if (router.projectId === project.id) router.go('#/');
  });

export const exportProject = (project: Project): Promise<void> =>
  guarded(async () => {
    const safeName = project.name.replace(/[^\p{L}\p{N} _-]+/gu, '').trim() || 'project';
    const { path } = await call('files.choose', { kind: 'save', suggestedName: `${safeName}.peftproject` });
    if (path === null) return;
    const { jobId } = await call('projects.export', { id: project.id, path });
    toasts.show(t('Exporting {project}; the status bar shows the progress.', { project: project.name }));
    await jobs.finished(jobId);
    toasts.show(t('{project} was exported.', { project: project.name }), {
      tone: 'good',
      action: {
        label: t('Show the file'),
        run: () => void guarded(async () => void (await call('files.show', { path }))),
      },
    });
  });

export const importProject = (): Promise<void> =>
  guarded(async () => {
    const { path } = await call('files.choose', { kind: 'project-file' });
    if (path !== null) await importProjectFile(path);
  });

async function bringIn(path: string): Promise<Project> {
  const { jobId } = await call('projects.import', { path });
  const project = projectSchema.parse(await jobs.finished(jobId));
  await projects.refresh();
  toasts.show(t('The project was imported.'), { tone: 'good' });
  return project;
}

/** Imports a project from a file that the user chose or dropped. */
export const importProjectFile = (path: string): Promise<void> => guarded(async () => void (await bringIn(path)));

/** Imports the project of a file that the user opened in the file manager, and goes there. */
export const openProjectFile = (path: string): Promise<void> =>
  guarded(async () => router.go(projectHref((await bringIn(path)).id, 'data')));
