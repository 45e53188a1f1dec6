import { availableParallelism } from 'node:os';
import { defineConfig } from '@playwright/test';

/** Windows on one display take the keyboard from each other: where there is one already, a test at a time; else each worker opens its own (harness.ts). */
const ownDisplays = process.platform === 'linux' && !process.env['DISPLAY'];

/** Tests in the real app. Each starts Electron and trains on the machine's own cores: limits are for a slow machine that does two at once. */
export default defineConfig({
  testDir: 'test/e2e',
  outputDir: 'test-results/app',
  workers: ownDisplays && availableParallelism() > 1 ? 2 : 1,
  timeout: 600_000,
  expect: { timeout: 60_000 },
  forbidOnly: Boolean(process.env['CI']),
  retries: 0,
});
