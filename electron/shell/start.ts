/**
 * The first steps of the desktop app: one instance, and its window. They need little, so that the page loads while this process reads the
 * studio's program.
 */
import { app, dialog, type BrowserWindow } from 'electron';
import path from 'node:path';
import { t } from './language.js';
import { setMenu } from './menu.js';
import { OpenedFiles, projectFiles } from './opening.js';
import { registerScheme, servePage } from './page.js';
import { lockDown, openWindow } from './window.js';

export interface StartOptions {
  /** Folder of the built programs and the window (dist/). */
  readonly dist: string;
  /** Folder with database and files. */
  readonly home: string;
  /**
   * Opens the studio for the window, and listens to its page before it gives way for the first time. Resolves when the window may be
   * shown; rejects with an Error in words for the user.
   */
  startStudio(window: BrowserWindow, opened: OpenedFiles): Promise<void>;
}

/** Starts the app; returns at once when another instance has the home folder and was brought to the front. */
export function startApp({ dist, home, startStudio }: StartOptions): void {
  // One instance a home folder: Chromium's lock lies in its profile, so the profile lies in the home.
  app.setPath('userData', path.join(home, 'window'));
  const files = projectFiles(process.argv.slice(1), process.cwd());
  if (!app.requestSingleInstanceLock({ files })) return app.quit();
  registerScheme();
  lockDown();
  const opened = new OpenedFiles();
  void opened.add(files);
  // macOS tells of files by an event, of the first ones before the app is ready.
  app.on('open-file', (event, file) => {
    event.preventDefault();
    void opened.add([file]);
  });
  app
    .whenReady()
    .then(async () => {
      setMenu();
      servePage(path.join(dist, 'renderer'));
      let show = () => {};
      const window = openWindow(dist, new Promise((resolve) => (show = resolve)));
      await startStudio(window, opened);
      show();
    })
    .catch((error: unknown) => {
      dialog.showErrorBox(t('PEFT Studio could not start'), error instanceof Error ? error.message : String(error));
      app.exit(1);
    });
}
