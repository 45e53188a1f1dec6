/** What can be done with a study. Failures of these actions are shown as notices. */
import type { Report, ReportFormat, Study, StudyPlan } from '../../../electron/contract/index.js';
import { fileName } from '../../charts/index.js';
import { call } from '../../state/client.js';
import { jobs } from '../../state/jobs.svelte.js';
import { projectHref, router } from '../../state/router.svelte.js';
import { studies } from '../../state/studies.svelte.js';
import { toasts } from '../../state/toasts.svelte.js';
import { saveJson, tellSaved } from '../../state/save.js';
import { t } from '../../language.js';

async function guarded(action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    toasts.problem(error);
  }
}

export const pauseStudy = (study: Study): Promise<void> => guarded(() => studies.pause(study.id));
export const resumeStudy = (study: Study): Promise<void> => guarded(() => studies.resume(study.id));
export const cancelStudy = (study: Study): Promise<void> => guarded(() => studies.cancel(study));

/** Begins the same study again and leads to it. */
export const repeatStudy = (study: Study): Promise<void> =>
  guarded(async () => {
    const again = await studies.repeat(study.id);
    router.go(projectHref(again.projectId, 'studies', again.id));
  });

export const deleteStudy = (study: Study, withRuns: boolean): Promise<void> =>
  guarded(async () => {
    if (!(await studies.remove(study.id, withRuns, t('{study} was deleted.', { study: study.name })))) return;
    if (router.route.screen === 'project' && router.route.detail === String(study.id))
      router.go(projectHref(study.projectId, 'studies'));
  });

/** Asks for a path and writes the report there; nothing happens when the dialog is closed. */
export const exportReport = (id: number, { title }: Pick<Report, 'title'>, format: ReportFormat): Promise<void> =>
  guarded(async () => {
    const suggestedName = `${fileName(title)}.${format}`;
    const { path } = await call('files.choose', { kind: 'save', suggestedName });
    if (path === null) return;
    const { jobId } = await call('studies.exportReport', { id, format, path });
    await jobs.finished(jobId);
    tellSaved(path);
  });

/** Writes the study itself: the command takes the same file. */
export const savePlan = (plan: StudyPlan): Promise<void> =>
  saveJson(`${plan.name === '' ? 'study' : fileName(plan.name)}.json`, plan);
