/** The limits that a user sets in one project, as its fields have them; kept while the window lives. */
import {
  adviceCosts,
  type Advice,
  type AdviceCost,
  type AdviceLimit,
  type CallInput,
} from '../../../../electron/contract/index.js';
import { call } from '../../../state/client.js';
import { removals } from '../../../state/removals.svelte.js';
import { Resource } from '../../../state/resource.svelte.js';

/** What a field's number is times this in the studio's unit: megabytes in bytes. */
const factors: Partial<Record<AdviceLimit, number>> = { memory: 1e6, disk: 1e6 };
const limitKeys: readonly AdviceLimit[] = [...adviceCosts, 'score', 'loss'];

class Question {
  place = $state<string | null>(null);
  limits = $state<Record<AdviceLimit, number | null>>({
    memory: null,
    disk: null,
    latency: null,
    step: null,
    training: null,
    score: null,
    loss: null,
  });
  errors = $state<Partial<Record<AdviceLimit | 'tasks', string | null>>>({});
  tasks = $state(1);
  withBase = $state(false);
  cheapestBy = $state<AdviceCost>('disk');
  advice = new Resource<Advice>();

  constructor(private readonly projectId: number) {}

  /** As the studio is asked; null while a field holds what is no limit. */
  get request(): CallInput<'advice.ask'> | null {
    if (Object.values(this.errors).some(Boolean)) return null;
    const limits = Object.fromEntries(
      limitKeys.map((key) => {
        const value = this.limits[key];
        return [key, value === null ? null : value * (factors[key] ?? 1)];
      }),
    );
    const { projectId, place, tasks, withBase, cheapestBy } = this;
    return { projectId, place, limits, tasks, withBase, cheapestBy };
  }

  get limited(): boolean {
    return limitKeys.some((key) => this.limits[key] !== null);
  }

  clear(): void {
    for (const key of limitKeys) {
      this.limits[key] = null;
      this.errors[key] = null;
    }
  }

  async ask(request: CallInput<'advice.ask'>): Promise<void> {
    // Advice rests on what is there: a study that was deleted a moment ago goes for good first.
    await removals.flush();
    await this.advice.read(() => call('advice.ask', request));
  }
}

const questions = new Map<number, Question>();

export function questionOf(projectId: number): Question {
  const known = questions.get(projectId);
  if (known) return known;
  const made = new Question(projectId);
  questions.set(projectId, made);
  return made;
}
export type { Question };
