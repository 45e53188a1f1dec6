/** The life of the desktop app: one instance, one studio, one window that may close while runs go on. */
import { app, BrowserWindow, dialog } from 'electron';
import path from 'node:path';
import type { Handlers, StudioEvent } from '../contract/calls.js';
import { problemOf } from '../contract/problem-of.js';
import type { SpawnTrainer } from '../studio/trainer-port.js';
import { sendEvent, serveCalls, serveDrops } from './bridge.js';
import { activeRuns, decideClosing } from './closing.js';
import { createDispatch } from './dispatch.js';
import { fileHandlers } from './files.js';
import { Grants } from './grants.js';
import { setMenu } from './menu.js';
import { registerScheme, servePage } from './page.js';
import { spawnTrainerFrom } from './trainer-process.js';
import { applyTheme, lockDown, openWindow } from './window.js';

/** The studio as the shell needs it. */
export interface OpenStudio {
  readonly handlers: Handlers;
  /** Saves what runs and ends the trainer. */
  close(): Promise<void>;
}
export interface ShellOptions {
  /** Folder of the built programs and the window (dist/). */
  readonly dist: string;
  /** Folder with database and files. */
  readonly home: string;
  openStudio(parts: { spawnTrainer: SpawnTrainer; emit: (event: StudioEvent) => void }): Promise<OpenStudio>;
}

/** Opens the app; returns at once when another instance has the home folder and was brought to the front. */
export function runApp(options: ShellOptions): void {
  // One instance a home folder: Chromium's lock lies in its profile, so the profile lies in the home.
  app.setPath('userData', path.join(options.home, 'window'));
  if (!app.requestSingleInstanceLock()) return app.quit();
  registerScheme();
  lockDown();
  app
    .whenReady()
    .then(() => new Shell(options).start())
    .catch((error: unknown) => {
      const problem = problemOf(error);
      dialog.showErrorBox('PEFT Studio could not start', [problem.message, problem.hint].filter(Boolean).join('\n\n'));
      app.exit(1);
    });
}

class Shell {
  #window: BrowserWindow | null = null;
  #grants = new Grants();
  #studio: OpenStudio | null = null;
  #closingDecided = false;
  #quitting = false;

  constructor(private readonly options: ShellOptions) {}

  async start(): Promise<void> {
    setMenu();
    servePage(path.join(this.options.dist, 'renderer'));
    const studio = await this.options.openStudio({
      spawnTrainer: spawnTrainerFrom(path.join(this.options.dist, 'trainer.cjs')),
      emit: (event) => this.#onEvent(event),
    });
    this.#studio = studio;
    applyTheme((await studio.handlers['settings.get']({})).theme);
    const window = () => this.#window;
    const handlers: Handlers = {
      ...studio.handlers,
      ...fileHandlers(this.#grants, window),
      'settings.set': async (request) => {
        const settings = await studio.handlers['settings.set'](request);
        applyTheme(settings.theme);
        return settings;
      },
    };
    serveCalls(createDispatch(handlers, this.#grants), window);
    serveDrops(this.#grants, window);
    this.#open();
    app.on('second-instance', () => this.#show());
    app.on('activate', () => this.#show());
    // The window alone does not decide: runs may go on without it.
    app.on('window-all-closed', () => undefined);
    app.on('before-quit', (event) => {
      if (this.#studio === null) return;
      event.preventDefault();
      if (this.#window) this.#window.close();
      else void this.#quit();
    });
  }

  #open(): void {
    const window = openWindow(this.options.dist);
    this.#window = window;
    this.#closingDecided = false;
    window.on('close', (event) => {
      if (this.#closingDecided || this.#studio === null) return;
      event.preventDefault();
      void this.#decide(window, this.#studio);
    });
    window.on('closed', () => {
      this.#window = null;
    });
  }

  async #decide(window: BrowserWindow, studio: OpenStudio): Promise<void> {
    // A studio that cannot answer must not keep its window open for ever.
    const closing = await decideClosing(window, studio.handlers).catch(() => 'quit' as const);
    if (closing === 'stay') return;
    this.#closingDecided = true;
    window.close();
    if (closing === 'quit') await this.#quit();
  }

  #show(): void {
    if (this.#quitting) return;
    if (this.#window === null) return this.#open();
    if (this.#window.isMinimized()) this.#window.restore();
    this.#window.show();
    this.#window.focus();
  }

  #onEvent(event: StudioEvent): void {
    sendEvent(this.#window, event);
    // In the background the app lives as long as its runs.
    if (event.event === 'run' && this.#window === null && this.#closingDecided) void this.#quitWhenIdle();
  }

  async #quitWhenIdle(): Promise<void> {
    if (this.#studio === null) return;
    const runs = await activeRuns(this.#studio.handlers);
    if (runs.length === 0 && this.#window === null) await this.#quit();
  }

  async #quit(): Promise<void> {
    if (this.#quitting) return;
    this.#quitting = true;
    const studio = this.#studio;
    this.#studio = null;
    await studio?.close().catch((error: unknown) => console.error(error));
    app.exit(0);
  }
}
