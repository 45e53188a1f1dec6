import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Everything but the window runs in plain Node; the window's state classes need Svelte's compiler and its browser build. */
export default defineConfig({
  test: {
    testTimeout: 30_000,
    projects: [
      {
        test: {
          name: 'node',
          environment: 'node',
          include: ['test/unit/**/*.test.ts', 'test/parity/**/*.test.ts'],
          exclude: ['test/unit/renderer/**'],
          testTimeout: 30_000,
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
        },
      },
    ],
  },
});
