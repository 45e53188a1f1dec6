/** Entry of the desktop app, and of the command where it is installed. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandWords } from './shell/command-words.js';
import { runHeadless } from './shell/headless.js';
import { startApp } from './shell/start.js';
import { defaultHome } from './studio/home.js';

const dist = path.dirname(fileURLToPath(import.meta.url));
const words = commandWords(process.argv);
// A program of its own: reading it takes longer than opening a window.
const studioProgram = () => createRequire(import.meta.url)('./studio.cjs') as typeof import('./studio-program.js');

if (words !== null) {
  runHeadless(dist, (spawnTrainer, exit) => studioProgram().runProgram(words, spawnTrainer, exit));
} else {
  const home = path.resolve(process.env.PEFT_STUDIO_HOME || defaultHome());
  startApp({
    dist,
    home,
    startStudio: (window, opened) => studioProgram().startShell(window, { dist, home, opened }),
  });
}
