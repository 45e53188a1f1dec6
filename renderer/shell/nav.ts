/** The places of the window, in the order of the sidebar and of Ctrl 1 to 8. */
import type { IconName } from '../components/index.js';
import type { ProjectSection } from '../state/router.svelte.js';

export const sections: readonly {
  readonly section: ProjectSection;
  readonly title: string;
  readonly icon: IconName;
}[] = [
  { section: 'data', title: 'Data', icon: 'table' },
  { section: 'models', title: 'Model and method', icon: 'layers' },
  { section: 'runs', title: 'Runs', icon: 'line' },
  { section: 'compare', title: 'Compare', icon: 'scale' },
  { section: 'studies', title: 'Studies', icon: 'study' },
  { section: 'playground', title: 'Playground', icon: 'message' },
  { section: 'compose', title: 'Compose', icon: 'compose' },
  { section: 'exports', title: 'Exports', icon: 'download' },
];
