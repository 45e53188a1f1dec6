/** The guided tour on the sample: what to look at, screen by screen. It can be left at any time. */
import { mark } from '../language.js';
import { projects } from '../state/projects.svelte.js';
import { projectHref, router, type ProjectSection } from '../state/router.svelte.js';
import { toasts } from '../state/toasts.svelte.js';

interface Stop {
  readonly section: ProjectSection;
  readonly title: string;
  readonly text: string;
  /** `data-testid` of what is meant; left out: the whole screen. */
  readonly target?: string;
}

export const stops: readonly [Stop, ...Stop[]] = [
  {
    section: 'data',
    title: mark('Data'),
    text: mark(
      'The sample holds definitions of nouns, each with its domain. Look at the splits: training rows are learned from, validation rows choose the best parameters, and test rows are read once, at the end.',
    ),
  },
  {
    section: 'models',
    title: mark('Model and method'),
    text: mark(
      'The map shows the base model layer by layer: grey stays frozen, blue trains. Choose another method in the list and see what changes. Leave full fine-tuning chosen: it is what the others are compared with.',
    ),
    target: 'methods',
  },
  {
    section: 'models',
    title: mark('Time and memory'),
    text: mark(
      'Measure runs a few real steps and tells what each run will take. Several seeds make the intervals of the comparison. Then press Train; you may go on with the tour while it trains.',
    ),
    target: 'estimate',
  },
  {
    section: 'runs',
    title: mark('Runs'),
    text: mark(
      'Runs wait in a queue and train one after the other. Open one to see its curves: the loss falls while it learns, and validation shows whether it learns what it should.',
    ),
  },
  {
    section: 'compare',
    title: mark('Compare'),
    text: mark(
      'When full fine-tuning and another method are finished, a sentence for each says what was measured and no more: within so many points, better, worse, or cannot tell yet.',
    ),
  },
  {
    section: 'playground',
    title: mark('Playground'),
    text: mark('Write a sentence and let several runs read it side by side, with how sure each of them is.'),
  },
  {
    section: 'exports',
    title: mark('Exports'),
    text: mark(
      'What you chose leaves here, as an adapter, a merged model or ONNX. Each export is loaded again and compared with its run before it counts as done.',
    ),
  },
];

class Tour {
  /** Place among the stops; null while there is no tour. */
  at = $state<number | null>(null);
  projectId = $state(0);

  get stop(): Stop | null {
    return this.at === null ? null : (stops[this.at] ?? null);
  }

  /** Begins on a sample project that is there already, or on a new one. */
  async start(): Promise<void> {
    try {
      const known = projects.list.find(({ name }) => /^sample/i.test(name));
      this.projectId = (known ?? (await projects.createSample(null))).id;
      this.go(0);
    } catch (error) {
      toasts.problem(error);
    }
  }

  go(place: number): void {
    const stop = stops[place];
    if (!stop) return this.leave();
    this.at = place;
    router.go(projectHref(this.projectId, stop.section));
  }

  leave(): void {
    this.at = null;
  }
}

export const tour = new Tour();
