/** Entry of the command in plain Node, built to dist/cli.cjs. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './program.js';
import { forkTrainerFrom } from './trainer-process.js';

const dist = path.dirname(fileURLToPath(import.meta.url));
runProgram(process.argv.slice(2), forkTrainerFrom(path.join(dist, 'trainer.cjs')), (code) => process.exit(code));
