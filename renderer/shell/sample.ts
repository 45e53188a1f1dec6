/** One click to a project on bundled sample data; without a name the first sample's, on the starter model. */
import { projects } from '../state/projects.svelte.js';
import { projectHref, router } from '../state/router.svelte.js';
import { toasts } from '../state/toasts.svelte.js';

export async function startSample(sample: string | null = null): Promise<void> {
  try {
    const project = await projects.createSample(sample);
    router.go(projectHref(project.id, 'models'));
  } catch (error) {
    toasts.problem(error);
  }
}
