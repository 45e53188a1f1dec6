/** Whether the window is so narrow that the sidebar shows icons only. */
import { MediaQuery } from 'svelte/reactivity';

const query = typeof window === 'undefined' ? null : new MediaQuery('(max-width: 1400px)');

export const narrow = {
  get now(): boolean {
    return query?.current ?? false;
  },
};
