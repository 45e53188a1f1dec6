/**
 * `npm run check`: everything that can be known without running the app. All parts run, as many at once as there are cores; a failure of
 * any decides the exit code.
 */
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { root, runCommand, say } from './tools.mjs';

const bin = (name) => path.join(root, 'node_modules', '.bin', name);
const parts = [
  // The longest first, so that none is left alone at the end.
  ['types', bin('tsc'), ['-p', '.', '--noEmit']],
  ['format', bin('prettier'), ['--check', '--log-level', 'warn', '.']],
  // Layers that must not know Node, DOM or Electron compile without their types too.
  ['types of contract/', bin('tsc'), ['-p', 'electron/contract', '--noEmit']],
  ['types of engine/', bin('tsc'), ['-p', 'electron/engine', '--noEmit']],
  ['types of test/e2e/', bin('tsc'), ['-p', 'test/e2e', '--noEmit']],
  [
    'types of renderer/',
    bin('svelte-check'),
    ['--tsconfig', 'renderer/tsconfig.json', '--fail-on-warnings', '--output', 'human'],
  ],
  ['lint', bin('oxlint'), ['--deny-warnings']],
  ['layers', bin('depcruise'), ['electron', 'renderer', '--config', '.dependency-cruiser.cjs']],
  ['dead code', bin('knip'), []],
  [
    'colours',
    'grep',
    [
      '-rnE',
      '#[0-9a-fA-F]{3,8}\\b[;,)"\' ]',
      'renderer',
      '--include=*.svelte',
      '--include=*.css',
      '--exclude=tokens.css',
    ],
    1,
  ],
];

const failed = [];
const waiting = parts.values();
async function work() {
  for (const [name, command, args, expected = 0] of waiting) {
    const started = Date.now();
    const { code, output } = await runCommand(command, args, { quiet: true });
    const good = code === expected;
    say(`${good ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    if (good) continue;
    failed.push(name);
    process.stderr.write(`${output.trim()}\n`);
  }
}
// Each takes a core or little more, and up to a gigabyte.
await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, work));
if (failed.length > 0) {
  say(`not clean: ${failed.join(', ')}. The layers are drawn in electron/README.md.`);
  process.exitCode = 1;
}
