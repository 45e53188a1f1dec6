/**
 * `npm test`: prepares and builds what is missing, then runs the unit tests (vitest) and the tests in the real app (Playwright).
 * The last line counts both. `-- --unit` or `-- --e2e` runs one kind.
 */
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildAll } from './build.mjs';
import { prepare } from './prepare.mjs';
import { fail, root, say } from './tools.mjs';

const results = path.join(root, 'test-results');

/** @returns {Promise<number>} exit code; the output goes to ours */
function runTool(name, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(root, 'node_modules', name), ...args], {
      cwd: root,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** A tool that ends badly without a readable report counts as one failure: silence is never a pass. */
async function count(name, code, reportFile, read) {
  try {
    const counted = read(JSON.parse(await readFile(reportFile, 'utf8')));
    return code !== 0 && counted.failed === 0 ? { ...counted, failed: 1 } : counted;
  } catch {
    say(`${name} left no report`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

async function unitTests() {
  const report = path.join(results, 'unit.json');
  const code = await runTool(
    'vitest/vitest.mjs',
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    process.env,
  );
  return count('vitest', code, report, (json) => ({
    passed: json.numPassedTests,
    // A file that did not load has no tests of its own to fail.
    failed:
      json.numFailedTests +
      json.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length,
    skipped: json.numPendingTests + json.numTodoTests,
  }));
}

async function appTests() {
  const report = path.join(results, 'app.json');
  const code = await runTool('@playwright/test/cli.js', ['test', '--reporter=list,json'], {
    ...process.env,
    PLAYWRIGHT_JSON_OUTPUT_FILE: report,
  });
  return count('playwright', code, report, ({ stats, errors }) => ({
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected + (stats.unexpected === 0 ? errors.length : 0),
    skipped: stats.skipped,
  }));
}

async function test() {
  const only = (kind) => process.argv.includes(`--${kind}`);
  await prepare({ display: true });
  await rm(results, { recursive: true, force: true });
  await mkdir(results, { recursive: true });
  await buildAll();
  const counts = [];
  // Everything temporary in one folder, so that a test that fails or is killed leaves nothing behind either.
  const temporary = await mkdtemp(path.join(tmpdir(), 'peft-studio-tests-'));
  await chmod(temporary, 0o755); // some tests start processes of another user
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = temporary;
  try {
    if (!only('e2e')) counts.push(await unitTests());
    if (!only('unit')) counts.push(await appTests());
  } finally {
    await rm(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }).catch(() => undefined);
  }
  const sum = (key) => counts.reduce((total, entry) => total + entry[key], 0);
  const skipped = sum('skipped');
  if (sum('failed') > 0 || sum('passed') === 0) process.exitCode = 1;
  process.stdout.write(
    `${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`,
  );
}

test().catch((error) => {
  fail(error);
  process.stdout.write('0 passed, 1 failed\n');
});
