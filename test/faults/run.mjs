// Bundles the faults and strikes: `npm run faults -- [--count N] [--seed S] [--only KIND] [--work WORK]`.
import { runScript } from '../helpers/run-script.mjs';

// The whole app is struck too, where there is one to be had; `--only` may leave it out.
const only = process.argv.find((word, at) => process.argv[at - 1] === '--only');
await runScript('test/faults/main.ts', 'faults/main.mjs', { window: !only || only.split(',').includes('kill-app') });
