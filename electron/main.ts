/** Entry of the desktop app. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runApp } from './shell/app.js';
import { defaultHome, openStudio } from './studio/index.js';

const dist = path.dirname(fileURLToPath(import.meta.url));
const home = path.resolve(process.env.PEFT_STUDIO_HOME || defaultHome());

runApp({ dist, home, openStudio: (parts) => openStudio({ home, ...parts }) });
