/** What main.ts reads when its first step is done: the studio with the shell around it, and the command. Built to dist/studio.cjs. */
export { runProgram } from './cli/program.js';
export { startShell } from './shell/app.js';
