/** Keys that work everywhere. Keys of one screen are handled by that screen. */
import { app } from '../state/app.svelte.js';
import { projects } from '../state/projects.svelte.js';
import { projectHref, router } from '../state/router.svelte.js';
import { sections } from './nav.js';

export function handleShortcut(event: KeyboardEvent): void {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  const action = actionFor(event.key.toLowerCase());
  if (!action) return;
  event.preventDefault();
  action();
}

function actionFor(key: string): (() => void) | null {
  if (key === 'k') return () => (app.paletteOpen = !app.paletteOpen);
  if (key === 'n') return () => (app.newProjectOpen = true);
  if (key === ',') return () => router.go('#/settings');
  if (key === '1') return () => router.go('#/');
  const section = /^[2-8]$/.test(key) ? sections[Number(key) - 2] : undefined;
  // Outside projects they lead to the one last opened.
  const projectId = router.projectId ?? projects.list[0]?.id ?? null;
  return section && projectId !== null ? () => router.go(projectHref(projectId, section.section)) : null;
}
