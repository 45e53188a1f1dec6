/**
 * Before each test file: a folder for temporary files of its own, which goes with all that is in it when the file has ended, whatever
 * its tests, the app's code and the processes that they start leave in it.
 */
import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'peft-studio-unit-'));
// Some tests start processes of another user.
chmodSync(folder, 0o755);
for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = folder;

afterAll(async () => {
  // A process that is just ending may still write; `npm test` takes what is left then.
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }).catch(() => undefined);
});
