/** The app without a window: `peft-studio --cli WORDS` is the command, on computers without a display too. */
import { app } from 'electron';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
  // Chromium's own profile of a process that shows nothing: the window's may be in use, and neither may be left behind.
  const profile = mkdtempSync(path.join(tmpdir(), 'peft-studio-command-'));
  app.setPath('userData', profile);
  app.setPath('crashDumps', profile);
  app.once('quit', () => rmSync(profile, { recursive: true, force: true }));
  app.disableHardwareAcceleration();
  app.commandLine.appendSwitch('ozone-platform', 'headless');
  void app.whenReady().then(() => {
    app.dock?.hide();
    run(spawnTrainerFrom(path.join(dist, 'trainer.cjs'), { output: 'stderr' }), (code) => app.exit(code));
  });
}
