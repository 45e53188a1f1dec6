/** When a fault comes: some time after the work began, or some time after one of its events. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Copy } from './copy.js';

/** What the undisturbed work took. */
export interface Pace {
  readonly milliseconds: number;
  readonly events: number;
}

export interface Moment {
  readonly words: string;
  /** Waits for it, or for the work's end where that comes first. @returns whether the work is still under way */
  reached(copy: Copy, end: Promise<unknown>): Promise<boolean>;
}

/** Half of all moments are drawn by time, half by the count of events and a little more; each alike over the whole work. */
export function drawMoment(random: () => number, { milliseconds, events }: Pace): Moment {
  const late = random();
  if (random() < 0.5 || events === 0) {
    const wait = Math.round(late * milliseconds * 1.05);
    return { words: `after ${wait} ms`, reached: (_copy, end) => underWay(pause(wait), end) };
  }
  const count = Math.floor(late * (events + 1));
  const more = Math.round(random() * 20);
  return {
    words: `${more} ms after event ${count}`,
    reached: (copy, end) =>
      underWay(
        eventsOf(copy, copy.events.length + count).then(() => pause(more)),
        end,
      ),
  };
}

function underWay(moment: Promise<unknown>, end: Promise<unknown>): Promise<boolean> {
  const over = end.then(
    () => false,
    () => false,
  );
  return Promise.race([over, moment.then(() => true)]);
}

/** Resolves once the copy has told so many events since its start. */
function eventsOf(copy: Copy, count: number): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (copy.events.length < count) return;
      off();
      resolve();
    };
    const off = copy.listen(look);
    look();
  });
}
