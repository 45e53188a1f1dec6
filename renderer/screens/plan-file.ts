/** A file that the command takes fills in its form: a plan or methods by seeds under Model and method, a study under Studies. */
import type { AskedPlan, Matrix } from '../../electron/contract/index.js';
import { t } from '../language.js';
import { call } from '../state/client.js';
import { datasets, methods, models } from '../state/library.svelte.js';
import { projectHref, router } from '../state/router.svelte.js';
import { runs } from '../state/runs.svelte.js';
import { toasts } from '../state/toasts.svelte.js';
import { draftOf as planDraftOf } from './models/draft.svelte.js';
import { takePlan } from './models/take.js';
import { draftOf as studyDraftOf } from './studies/draft.svelte.js';

function tell(missing: readonly string[], unheld: readonly string[]): void {
  if (missing.length > 0)
    toasts.show(t('This project lacks {missing}; choose others in their place.', { missing: missing.join(', ') }), {
      tone: 'warn',
      seconds: 12,
    });
  if (unheld.length > 0)
    toasts.show(
      t('The form has no place for {keys} of the file: the command takes them.', { keys: unheld.join(', ') }),
      {
        tone: 'warn',
        seconds: 12,
      },
    );
  if (missing.length + unheld.length === 0) toasts.show(t('The form is filled in from the file.'), { tone: 'good' });
}

function openPlan(projectId: number, plan: AskedPlan | Matrix): void {
  const former = runs.finishedOf(projectId).find(({ id }) => id === plan.refines) ?? null;
  const known = { methods: methods.plain, models: models.list, datasets: datasets.list };
  const { missing, unheld } = takePlan(planDraftOf(projectId, former), plan, known);
  router.go(projectHref(projectId, 'models', former?.id ?? null));
  tell(plan.refines === undefined || former ? missing : [...missing, t('run {id}', { id: plan.refines })], unheld);
}

/**
 * Opens the form that a file fills in, in the open project. Returns false for a file that is no plan and no study, such as rows.
 * Throws StudioError 'bad-input' naming the key that is wrong.
 */
export async function openPlanFile(path: string): Promise<boolean> {
  const { asked } = await call('plans.read', { path });
  if (asked === null) return false;
  const { projectId } = router;
  if (projectId === null) {
    toasts.show(t('Open a project first: a plan is of its data.'), {
      tone: 'warn',
      hint: t('Then drop the file again.'),
    });
    return true;
  }
  // A file dropped at the start may be here before what it names is.
  await Promise.all([
    datasets.open(projectId),
    models.value ?? models.refresh(),
    methods.value ?? methods.refresh(),
    runs.loaded || runs.refresh(),
  ]);
  if (asked.kind === 'study') {
    const missing = studyDraftOf(projectId).take(asked.study, models.list, datasets.list);
    router.go(projectHref(projectId, 'studies', 'new'));
    tell(missing, []);
  } else openPlan(projectId, asked.kind === 'plan' ? asked.plan : asked.matrix);
  return true;
}

/** Asks for a file and opens its form. Failures are shown as notices. */
export async function choosePlanFile(): Promise<void> {
  try {
    const { path } = await call('files.choose', { kind: 'plan-file' });
    if (path !== null && !(await openPlanFile(path)))
      toasts.show(t('The file holds no plan and no study.'), { tone: 'warn' });
  } catch (error) {
    toasts.problem(error);
  }
}
