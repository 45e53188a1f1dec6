/** Entry of the desktop app, and of the command where it is installed. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './cli/program.js';
import { runApp } from './shell/app.js';
import { commandWords } from './shell/command-words.js';
import { runHeadless } from './shell/headless.js';
import { defaultHome, openStudio } from './studio/index.js';

const dist = path.dirname(fileURLToPath(import.meta.url));
const words = commandWords(process.argv);

if (words !== null) {
  runHeadless(dist, (spawnTrainer, exit) => runProgram(words, spawnTrainer, exit));
} else {
  const home = path.resolve(process.env.PEFT_STUDIO_HOME || defaultHome());
  runApp({ dist, home, openStudio: (parts) => openStudio({ home, ...parts }) });
}
