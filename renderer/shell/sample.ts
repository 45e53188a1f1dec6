/** One click to a project on the bundled starter model and sample data. */
import { projects } from '../state/projects.svelte.js';
import { projectHref, router } from '../state/router.svelte.js';
import { toasts } from '../state/toasts.svelte.js';

export async function startSample(): Promise<void> {
  try {
    const project = await projects.createSample();
    router.go(projectHref(project.id, 'models'));
  } catch (error) {
    toasts.problem(error);
  }
}
