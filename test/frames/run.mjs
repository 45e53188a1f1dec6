// Bundles and runs the measuring of frames: `npm run frames -- [--points N] [--runs N] [--rows N] [--home DIR]`.
import { runScript } from '../helpers/run-script.mjs';

await runScript('test/frames/main.ts', 'frames/main.mjs', { window: true });
