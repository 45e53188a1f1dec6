import { defineConfig } from '@playwright/test';

/** Tests in the real app, one at a time: each starts Electron and trains on the machine's own cores. */
export default defineConfig({
  testDir: 'test/e2e',
  outputDir: 'test-results/app',
  workers: 1,
  timeout: 180_000,
  expect: { timeout: 15_000 },
  forbidOnly: Boolean(process.env['CI']),
  retries: 0,
});
