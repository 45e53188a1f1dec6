import type { Environment } from 'vitest/runtime';

/** Plain Node, where Svelte compiles as for the window: for servers, its effects would never run. */
const environment: Environment = {
  name: 'browser-build',
  viteEnvironment: 'client',
  setup: () => ({ teardown: () => undefined }),
};
export default environment;
