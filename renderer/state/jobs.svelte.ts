/** Long work of the studio (imports, exports, device tests): its progress, and waiting for its end. */
import { SvelteMap } from 'svelte/reactivity';
import { StudioError } from '../../electron/contract/index.js';
import type { Job } from '../../electron/contract/index.js';
import { call } from './client.js';
import { t } from '../language.js';

class Jobs {
  byId = new SvelteMap<string, Job>();
  #waiting = new Map<string, ((job: Job) => void)[]>();

  get running(): readonly Job[] {
    return [...this.byId.values()].filter((job) => job.state === 'running');
  }

  async refresh(): Promise<void> {
    for (const job of await call('jobs.list', {})) this.receive(job);
  }

  receive(job: Job): void {
    this.byId.set(job.id, job);
    if (job.state === 'running') return;
    this.#waiting.get(job.id)?.forEach((resolve) => resolve(job));
    this.#waiting.delete(job.id);
  }

  /**
   * Waits for a job's end and gives its result.
   * @throws StudioError of the failed job, or with code `cancelled`.
   */
  async finished(jobId: string): Promise<unknown> {
    const known = this.byId.get(jobId);
    const job =
      known && known.state !== 'running'
        ? known
        : await new Promise<Job>((resolve) => {
            this.#waiting.set(jobId, [...(this.#waiting.get(jobId) ?? []), resolve]);
            // The job may have ended before this window listened.
            void this.refresh();
          });
    if (job.state === 'done') return job.result;
    if (job.problem) throw StudioError.fromProblem(job.problem);
    throw new StudioError('cancelled', t('{job} was cancelled.', { job: job.title }));
  }

  async cancel(jobId: string): Promise<void> {
    await call('jobs.cancel', { jobId });
  }
}

export const jobs = new Jobs();
