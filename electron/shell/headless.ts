/** The app without a window: `peft-studio --cli WORDS` is the command, on computers without a display too. */
import { app } from 'electron';
import path from 'node:path';
import type { SpawnTrainer } from '../studio/trainer-port.js';
import { spawnTrainerFrom } from './trainer-process.js';

/**
 * @param dist folder of the built programs
 * @param run runs the command and ends by `exit`
 */
export function runHeadless(
  dist: string,
  run: (spawnTrainer: SpawnTrainer, exit: (code: number) => void) => void,
): void {
  // The window's profile may be in use, and one of its own would be left behind: Chromium's processes make theirs even after the app's
  // end. Below a file none can be made, and what shows nothing does without.
  const nowhere = path.join(process.execPath, 'none');
  app.setPath('userData', nowhere);
  app.setPath('crashDumps', nowhere);
  app.disableHardwareAcceleration();
  app.commandLine.appendSwitch('ozone-platform', 'headless');
  void app.whenReady().then(() => {
    app.dock?.hide();
    run(spawnTrainerFrom(path.join(dist, 'trainer.cjs'), { output: 'stderr' }), (code) => app.exit(code));
  });
}
