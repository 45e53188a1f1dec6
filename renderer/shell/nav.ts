/** The places of the window, in the order of the sidebar and of Ctrl 1 to 8. */
import type { IconName } from '../components/index.js';
import type { ProjectSection } from '../state/router.svelte.js';
import { mark } from '../language.js';

export const sections: readonly {
  readonly section: ProjectSection;
  readonly title: string;
  readonly icon: IconName;
}[] = [
  { section: 'data', title: mark('Data'), icon: 'table' },
  { section: 'models', title: mark('Model and method'), icon: 'layers' },
  { section: 'runs', title: mark('Runs'), icon: 'line' },
  { section: 'compare', title: mark('Compare'), icon: 'scale' },
  { section: 'studies', title: mark('Studies'), icon: 'study' },
  { section: 'playground', title: mark('Playground'), icon: 'message' },
  { section: 'compose', title: mark('Compose'), icon: 'compose' },
  { section: 'exports', title: mark('Exports'), icon: 'download' },
];
