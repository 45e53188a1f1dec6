/** What the user is about to compose in one project: which runs, how, and what the studio says of it. Kept while the window lives. */
import type { CallInput, CallOutput, Run } from '../../../electron/contract/index.js';
import { call } from '../../state/client.js';
import { Resource } from '../../state/resource.svelte.js';
import { mark } from '../../language.js';

export type Kind = CallInput<'compositions.check'>['kind'];
export type Found = CallOutput<'compositions.check'>;

export interface Pick {
  readonly id: number;
  readonly weight: number;
}

/** Kinds as the screen names them, and what each does, in a sentence. */
export const kinds: readonly { readonly value: Kind; readonly label: string; readonly about: string }[] = [
  {
    value: 'average',
    label: mark('Average'),
    about: mark('The mean of the adapters, by weights that are brought to a sum of 1.'),
  },
  {
    value: 'add',
    label: mark('Add'),
    about: mark('The sum of LoRA updates by weights. A weight below 0 takes a task away.'),
  },
  {
    value: 'stack',
    label: mark('Stack'),
    about: mark('One on another, in the order chosen: each acts on what those below it made.'),
  },
  {
    value: 'fusion',
    label: mark('Fuse'),
    about: mark('Attention over the adapters, token by token. It is trained before it answers.'),
  },
];

export const hasWeights = (kind: Kind): boolean => kind === 'average' || kind === 'add';

class CompositionDraft {
  kind = $state<Kind>('average');
  how = $state<'cat' | 'linear'>('cat');
  picks = $state.raw<readonly Pick[]>([]);
  /** Whose head answers; null: what the kind does by itself. */
  head = $state<number | null>(null);
  /** Type of the adapter that trains on top of a stack. */
  top = $state<string | null>(null);
  /** Training of a fusion, or of what is on top. */
  epochs = $state(1);
  errors = $state<Record<string, string | null>>({});
  /** What the studio says of it. */
  readonly found = new Resource<Found>();

  constructor(readonly projectId: number) {}

  get trains(): boolean {
    return this.kind === 'fusion' || (this.kind === 'stack' && this.top !== null);
  }

  weightOf(id: number): number | null {
    return this.picks.find((pick) => pick.id === id)?.weight ?? null;
  }

  toggle(id: number, on: boolean): void {
    const others = this.picks.filter((pick) => pick.id !== id);
    this.picks = on ? [...others, { id, weight: 1 }] : others;
    if (!on && this.head === id) this.head = null;
  }

  weigh(id: number, weight: number): void {
    this.picks = this.picks.map((pick) => (pick.id === id ? { ...pick, weight } : pick));
  }

  /** What no longer is a finished run leaves the choice. */
  keep(finished: readonly Run[]): void {
    if (this.picks.every(({ id }) => finished.some((run) => run.id === id))) return;
    this.picks = this.picks.filter(({ id }) => finished.some((run) => run.id === id));
  }

  request(): CallInput<'compositions.check'> {
    return {
      projectId: this.projectId,
      kind: this.kind,
      how: this.kind === 'add' ? this.how : 'cat',
      parts: this.picks.map(({ id, weight }) => ({ from: id, weight: hasWeights(this.kind) ? weight : 1 })),
      head: this.kind === 'fusion' ? null : this.head,
      top: this.kind === 'stack' && this.top !== null ? { type: this.top } : null,
      ...(this.trains ? { training: { epochs: this.epochs } } : {}),
    };
  }

  /** Asks the studio what this would be; an answer that is late is dropped. */
  async check(): Promise<void> {
    if (this.picks.length === 0) this.found.clear();
    else await this.found.read(() => call('compositions.check', this.request()));
  }
}

const drafts = new Map<number, CompositionDraft>();

export function draftOf(projectId: number): CompositionDraft {
  const known = drafts.get(projectId) ?? new CompositionDraft(projectId);
  drafts.set(projectId, known);
  return known;
}
export type { CompositionDraft };
