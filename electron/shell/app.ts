/** The life of the desktop app: one instance, one studio, one window that may close while runs go on. */
import { app, BrowserWindow, dialog } from 'electron';
import path from 'node:path';
import type { Handlers, StudioEvent } from '../contract/calls.js';
import { problemOf } from '../contract/problem-of.js';
import type { SpawnTrainer } from '../studio/trainer-port.js';
import { sendEvent, serveCalls, serveDrops } from './bridge.js';
import { activeRuns, decideClosing, isActive } from './closing.js';
import { createDispatch } from './dispatch.js';
import { fileHandlers } from './files.js';
import { Grants } from './grants.js';
import { setMenu } from './menu.js';
import { OpenedFiles, projectFiles, startSchema } from './opening.js';
import { registerScheme, servePage } from './page.js';
import { spawnTrainerFrom } from './trainer-process.js';
import { feedSource, updateReason } from './update-source.js';
import { Updates } from './updates.js';
import { applyTheme, lockDown, openWindow } from './window.js';

/** How often is looked whether a day has gone by: a computer may sleep in between. */
const MILLISECONDS_BETWEEN_TICKS = 15 * 60_000;

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
    .then(() => new Shell(options, opened).start())
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
  #updates: Updates | null = null;
  #closingDecided = false;
  #quitting = false;

  constructor(
    private readonly options: ShellOptions,
    private readonly opened: OpenedFiles,
  ) {}

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
    const reason = updateReason();
    const updates = new Updates({
      source: reason === null ? feedSource() : null,
      reason,
      file: path.join(app.getPath('userData'), 'updates.json'),
      emit: (data) => sendEvent(this.#window, { event: 'update', data }),
      isBusy: async () => (await activeRuns(studio.handlers)).length > 0,
      isAllowed: async () => (await studio.handlers['settings.get']({})).updates === 'daily',
      prepareToQuit: () => this.#closeStudio(),
    });
    this.#updates = updates;
    const handlers: Handlers = {
      ...studio.handlers,
      ...fileHandlers(this.#grants, window),
      ...updates.handlers,
      'settings.set': async (request) => {
        const settings = await studio.handlers['settings.set'](request);
        applyTheme(settings.theme);
        return settings;
      },
    };
    serveCalls(createDispatch(handlers, this.#grants), window);
    serveDrops(this.#grants, window);
    this.#open();
    app.on('second-instance', (_event, _argv, _folder, sent) => {
      this.#show();
      const start = startSchema.safeParse(sent);
      if (start.success) void this.opened.add(start.data.files);
    });
    app.on('activate', () => this.#show());
    // The window alone does not decide: runs may go on without it.
    app.on('window-all-closed', () => undefined);
    app.on('before-quit', (event) => {
      if (this.#studio === null) return;
      event.preventDefault();
      if (this.#window) this.#window.close();
      else void this.#quit();
    });
    setInterval(() => void updates.tick(), MILLISECONDS_BETWEEN_TICKS).unref();
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
      this.opened.listen(null);
    });
    // The page listens from its first script on, which has run by then.
    window.webContents.on('did-finish-load', () =>
      this.opened.listen((file) => {
        this.#grants.grant(file, 'file');
        sendEvent(this.#window, { event: 'opened', data: { path: file } });
      }),
    );
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
    if (event.event === 'run' && isActive(event.data)) this.#updates?.stopForRun();
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
    await this.#closeStudio();
    app.exit(0);
  }

  async #closeStudio(): Promise<void> {
    this.#quitting = true;
    const studio = this.#studio;
    this.#studio = null;
    await studio?.close().catch((error: unknown) => console.error(error));
  }
}
