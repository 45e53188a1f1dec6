import { availableParallelism } from 'node:os';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Tests whose effects run, which Svelte's build for servers leaves out. They import the window alone, nothing of Node's. */
const effects = 'test/unit/renderer/**/*.svelte.test.ts';

/** Everything but the window runs in plain Node; the window's state classes need Svelte's compiler and its browser build. */
export default defineConfig({
  test: {
    // Two on two cores, where it would be one: many tests wait for processes of theirs.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        test: {
          name: 'node',
          environment: 'node',
          include: ['test/unit/**/*.test.ts', 'test/parity/**/*.test.ts'],
          exclude: ['test/unit/renderer/**'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          setupFiles: ['test/helpers/own-temporary.ts'],
          // onnxruntime-node and sqlite3 are native: worker threads share their globals, processes do not.
          pool: 'forks',
          // Style sheets are read as text by the reports; by default they would be empty.
          css: true,
          // The runtime would report to its maker otherwise.
          env: { ORT_DISABLE_TELEMETRY: '1' },
        },
      },
      {
        plugins: [svelte()],
        resolve: { conditions: ['browser'] },
        test: {
          name: 'renderer',
          environment: 'node',
          include: ['test/unit/renderer/**/*.test.ts'],
          exclude: [effects],
        },
      },
      {
        plugins: [svelte()],
        resolve: { conditions: ['browser'] },
        test: {
          name: 'effects',
          environment: './test/helpers/browser-build.ts',
          include: [effects],
          // Node itself would load Svelte's build for servers.
          execArgv: ['--conditions=browser'],
        },
      },
    ],
  },
});
