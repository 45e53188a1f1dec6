/** One kind of fault: how it strikes a work, and what is then told. */
import { StudioError } from '../../electron/contract/errors.js';
import { CopyEnded, type Copy } from './copy.js';
import type { Stage } from './stage.js';
import { requireTyped, works, type WorkName } from './works.js';
import type { World } from './world.js';

export interface Struck {
  /** Faults that came about; 0 where the work was over before. */
  readonly faults: number;
  /** When it came and what was found. */
  readonly words: string;
}

export interface Kind {
  readonly name: string;
  readonly about: string;
  /** What it strikes, in turn; a name that stands more often is struck more often. */
  readonly works: readonly WorkName[];
  /** Of all kinds, how often its turn comes. */
  readonly weight: number;
  /** Why it cannot be done here; null where it can. */
  hindered(): string | null;
  /** @throws Error of what was lost */
  strike(world: World, work: WorkName, seed: number): Promise<Struck>;
}

/** Begins the work; resolves at its end with the problem it ended with, or null. @throws Error for a problem that no user could act on */
export function began(name: WorkName, copy: Copy, stage: Stage): Promise<StudioError | null> {
  const end = works[name].begin(copy, stage).then(
    () => null,
    (error: unknown) => {
      if (error instanceof StudioError) requireTyped(error);
      else if (!(error instanceof CopyEnded)) throw error;
      return error instanceof StudioError ? error : null;
    },
  );
  end.catch(() => undefined); // Awaited later; what is thrown is thrown there.
  return end;
}

/** Takes a work that was struck before on its way again; what becomes of it is seen at its end. */
const goesOn = (name: WorkName, copy: Copy, stage: Stage): Promise<StudioError | null> =>
  works[name].goOn(copy, stage).then(
    () => null,
    (error: unknown) => {
      if (error instanceof StudioError) requireTyped(error);
      return error instanceof StudioError ? error : null;
    },
  );

/** The work in one of its lives: begun in the first, number 0, and taken on its way again in each later one. */
export const inLife = (life: number, ...work: Parameters<typeof began>): Promise<StudioError | null> =>
  life === 0 ? began(...work) : goesOn(...work);

/** A copy with the work's data folder open, or one that is to open it as its work. */
export const readyFor = (world: World, name: WorkName, stage: Stage, ...options: Parameters<World['copy']>) =>
  works[name].template === 'old' ? world.copy(...options) : world.opened(stage.home, ...options);

/** The copy goes on if it lives (closed and opened anew where `anew`); else another takes over. */
export async function afterwards(world: World, copy: Copy, stage: Stage, anew: boolean): Promise<Copy> {
  if (!copy.ended && !anew) return copy;
  if (!copy.ended && copy.plain) {
    await copy.shut();
    await copy.open(stage.home);
    return copy;
  }
  if (!copy.ended) await copy.close();
  return world.opened(stage.home);
}

export const outcome = (problem: StudioError | null) => (problem ? `told "${problem.code}"` : 'no problem told');
