import { untrack } from 'svelte';

/**
 * Takes over what a dialog begins with each time it opens. What changes while it is open does not count: lists are made anew by any event,
 * and what the user has ticked would go with them.
 */
export function whenOpened(isOpen: () => boolean, take: () => void): void {
  $effect(() => {
    if (isOpen()) untrack(take);
  });
}
