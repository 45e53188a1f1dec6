/** Taking a plan to transformers, peft and accelerate, and its result back. Failures are shown as notices. */
import { takenBackSchema, type CallInput } from '../../../electron/contract/index.js';
import { fileName } from '../../charts/index.js';
import { t } from '../../language.js';
import { call, toProblem } from '../../state/client.js';
import { jobs } from '../../state/jobs.svelte.js';
import { projectHref, router } from '../../state/router.svelte.js';
import { toasts } from '../../state/toasts.svelte.js';

type Source = CallInput<'further.check'>['from'];

async function write(projectId: number, from: Source, chosen: string, name: string, attempt = 1): Promise<string> {
  const separator = chosen.includes('\\') ? '\\' : '/';
  const own = fileName(`${name} for peft${attempt > 1 ? ` ${attempt}` : ''}`);
  const folder = `${chosen.replace(/[/\\]+$/, '')}${separator}${own}`;
  try {
    const { jobId } = await call('further.write', { projectId, from, folder });
    await jobs.finished(jobId);
    return folder;
  } catch (error) {
    if (toProblem(error).code !== 'conflict' || attempt >= 20) throw error;
    return write(projectId, from, chosen, name, attempt + 1);
  }
}

/** @param name what the project's folder is named after: "lora-r-8-seed-3-for-peft" */
export async function takeFurther(projectId: number, from: Source, name: string): Promise<void> {
  try {
    const { reason } = await call('further.check', { projectId, from });
    if (reason !== null) return toasts.show(reason, { tone: 'warn', seconds: 12 });
    const { path } = await call('files.choose', { kind: 'folder' });
    if (path === null) return;
    const folder = await write(projectId, from, path, name);
    toasts.show(t('{folder} holds data, base model and train.py; its README says how to go on.', { folder }), {
      tone: 'good',
      seconds: 20,
      action: {
        label: t('Show the folder'),
        run: () => void call('files.show', { path: folder }).catch((error: unknown) => toasts.problem(error)),
      },
    });
  } catch (error) {
    toasts.problem(error);
  }
}

/** @param folder of the result, or of the project that holds it; null asks for one */
export async function takeBack(projectId: number, folder: string | null): Promise<void> {
  try {
    const path = folder ?? (await call('files.choose', { kind: 'folder' })).path;
    if (path === null) return;
    const { jobId } = await call('further.back', { projectId, folder: path });
    const { runId } = takenBackSchema.parse(await jobs.finished(jobId));
    toasts.show(t('The result is here as run {runId}, marked as trained elsewhere.', { runId }), { tone: 'good' });
    router.go(projectHref(projectId, 'runs', runId));
  } catch (error) {
    toasts.problem(error);
  }
}
