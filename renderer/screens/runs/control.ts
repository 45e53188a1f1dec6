/** What can be done with a run, and what its failure suggests. Failures of these actions are shown as notices. */
import type { DeviceId, DeviceReport, ErrorCode, Plan, Run } from '../../../electron/contract/index.js';
import { projectHref, router } from '../../state/router.svelte.js';
import { runs } from '../../state/runs.svelte.js';
import { toasts } from '../../state/toasts.svelte.js';
import { runTitle } from './words.js';
import { t } from '../../language.js';

async function guarded(action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    toasts.problem(error);
  }
}

/** Failures that a resumed run would meet again at once: only a changed plan helps. */
const endsSameAgain: ReadonlySet<ErrorCode> = new Set([
  'out-of-memory',
  'diverged',
  'bad-input',
  'bad-model',
  'bad-data',
] as const);

export const canPause = (run: Run): boolean => run.state === 'running' || run.state === 'preparing';
export const canResume = (run: Run): boolean =>
  run.state === 'paused' ||
  run.state === 'interrupted' ||
  (run.state === 'failed' && run.step > 0 && !endsSameAgain.has(run.problem?.code ?? 'internal'));
export const canCancel = (run: Run): boolean =>
  canPause(run) || run.state === 'queued' || run.state === 'paused' || run.state === 'interrupted';
export const canDelete = (run: Run): boolean => !canPause(run);

export const pauseRun = (run: Run): Promise<void> => guarded(() => runs.pause(run.id));
/** @param device where it goes on; left out, on the one that it was on */
export const resumeRun = (run: Run, device?: DeviceId): Promise<void> => guarded(() => runs.resume(run.id, device));

/** Devices on which a run could go on that was cut off on another than the CPU: the CPU first. */
export const devicesBeside = (run: Run, known: readonly DeviceReport[]): DeviceReport[] =>
  run.state !== 'interrupted' || run.device === null || run.device === 'cpu'
    ? []
    : known.filter(({ id, status }) => id !== run.device && (id === 'cpu' || status === 'passed'));
export const cancelRun = (run: Run): Promise<void> => guarded(() => runs.cancel(run));

export const deleteRun = (run: Run): Promise<void> =>
  guarded(async () => {
    if (!(await runs.remove(run.id, t('{runTitle} was deleted.', { runTitle: runTitle(run) })))) return;
    if (router.route.screen === 'project' && router.route.detail === String(run.id))
      router.go(projectHref(run.projectId, 'runs'));
  });

/** Queues a plan and leads to its run. */
export const queueAgain = (run: Run, plan: Plan): Promise<void> =>
  guarded(async () => {
    const [started] = await runs.start(run.projectId, [plan]);
    if (started) router.go(projectHref(started.projectId, 'runs', started.id));
  });

export interface Remedy {
  readonly title: string;
  readonly plan: Plan;
}

/** Changed plans that may go through where this one failed. */
export function remediesOf(run: Run): Remedy[] {
  const { plan } = run;
  const { training } = plan;
  const changed = (title: string, change: Partial<Plan['training']>, device = plan.device): Remedy => ({
    title,
    plan: { ...plan, device, training: { ...training, ...change } },
  });
  switch (run.problem?.code) {
    case 'out-of-memory': {
      const list: Remedy[] = [];
      if (training.batchSize / training.accumulationSteps >= 2)
        list.push(
          changed(t('Batch in {accumulationSteps} parts', { accumulationSteps: training.accumulationSteps * 2 }), {
            accumulationSteps: training.accumulationSteps * 2,
          }),
        );
      if (!training.gradientCheckpointing)
        list.push(changed(t('With as little memory as can be'), { packWeights: false, gradientCheckpointing: true }));
      if (training.maxLength > 32)
        list.push(
          changed(t('Cut rows at {floor} tokens', { floor: Math.floor(training.maxLength / 2) }), {
            maxLength: Math.floor(training.maxLength / 2),
          }),
        );
      return list;
    }
    case 'diverged':
      return [
        changed(t('A third of the learning rate'), {
          learningRate: Number((training.learningRate / 3).toPrecision(2)),
        }),
      ];
    case 'device-failed':
      return plan.device === 'cpu' ? [] : [changed(t('Run on the CPU'), {}, 'cpu')];
    default:
      return [{ title: t('Queue again'), plan }];
  }
}
