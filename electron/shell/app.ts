/** The life of the desktop app: one studio, one window that may close while runs go on. */
import { app, Notification, powerSaveBlocker, type BrowserWindow } from 'electron';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Handlers, StudioEvent } from '../contract/calls.js';
import type { Settings } from '../contract/entities.js';
import { problemOf } from '../contract/problem-of.js';
import { openStudio, type Studio } from '../studio/index.js';
import { Attention, type Notice } from './attention.js';
import { sendEvent, serveCalls, serveDrops } from './bridge.js';
import { activeRuns, decideClosing, isActive } from './closing.js';
import { createDispatch, type Dispatch } from './dispatch.js';
import { fileHandlers } from './files.js';
import { Grants } from './grants.js';
import { speakAs } from './language.js';
import { setMenu } from './menu.js';
import type { OpenedFiles } from './opening.js';
import { startSchema } from './second-start.js';
import { spawnTrainerFrom } from './trainer-process.js';
import { feedSource, updateReason } from './update-source.js';
import { Updates } from './updates.js';
import { applyTheme, openWindow } from './window.js';

/** How often is looked whether a day has gone by: a computer may sleep in between. */
const MILLISECONDS_BETWEEN_TICKS = 15 * 60_000;

/** From a page's last script to its first screen, with room to spare. */
const MILLISECONDS_TO_DRAW = 1000;

/** A page that has hung is not waited for any longer. */
const MILLISECONDS_TO_GO = 2000;

export interface ShellOptions {
  /** Folder of the built programs and the window (dist/). */
  readonly dist: string;
  /** Folder with database and files. */
  readonly home: string;
  /** Project files that the system asks the app to open. */
  readonly opened: OpenedFiles;
}

/**
 * Opens the studio for a window whose page is loading already; its calls wait.
 * Throws an Error in words for the user.
 */
export async function startShell(window: BrowserWindow, options: ShellOptions): Promise<void> {
  await new Shell(options).start(window).catch((error: unknown) => {
    const problem = problemOf(error);
    throw new Error([problem.message, problem.hint].filter(Boolean).join('\n\n'), { cause: error });
  });
}

/** Resolves when a page has had the time to read and draw. */
const drawn = (window: BrowserWindow) =>
  new Promise<void>((resolve) =>
    window.webContents.once('did-finish-load', () => setTimeout(resolve, MILLISECONDS_TO_DRAW).unref()),
  );

class Shell {
  #window: BrowserWindow | null = null;
  #grants = new Grants();
  #studio: Studio | null = null;
  #updates: Updates | null = null;
  #attention: Attention | null = null;
  #closingDecided = false;
  #quitting = false;

  constructor(private readonly options: ShellOptions) {}

  async start(first: BrowserWindow): Promise<void> {
    this.#take(first);
    const window = () => this.#window;
    const dispatch = this.#open(first, window);
    // Before anything is awaited: the page may call from now on.
    serveCalls(dispatch, window);
    serveDrops(this.#grants, window);
    this.#listen();
    await dispatch;
  }

  /** Opens the studio. @returns what answers the page's calls */
  async #open(first: BrowserWindow, window: () => BrowserWindow | null): Promise<Dispatch> {
    const studio = await openStudio({
      home: this.options.home,
      spawnTrainer: spawnTrainerFrom(path.join(this.options.dist, 'trainer.cjs')),
      emit: (event) => this.#onEvent(event),
      quiet: drawn(first),
    });
    this.#studio = studio;
    this.#apply(await studio.handlers['settings.get']({}));
    this.#attention = this.#attend(studio);
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
        this.#apply(settings);
        await this.#attention?.settle();
        return settings;
      },
    };
    setInterval(() => void updates.tick(), MILLISECONDS_BETWEEN_TICKS).unref();
    return createDispatch(handlers, this.#grants);
  }

  #apply({ theme, language }: Settings): void {
    applyTheme(theme);
    speakAs(language);
    setMenu();
  }

  #listen(): void {
    app.on('second-instance', (_event, _argv, _folder, sent) => {
      this.#show();
      const start = startSchema.safeParse(sent);
      if (start.success) void this.options.opened.add(start.data.files);
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
  }

  /** Makes a window the app's window. */
  #take(window: BrowserWindow): void {
    this.#window = window;
    this.#closingDecided = false;
    window.on('close', (event) => {
      if (this.#closingDecided || this.#studio === null) return;
      event.preventDefault();
      void this.#decide(window, this.#studio);
    });
    window.on('closed', () => {
      this.#window = null;
      this.options.opened.listen(null);
    });
    // The page listens from its first script on, which has run by then.
    window.webContents.on('did-finish-load', () =>
      this.options.opened.listen((file) => {
        this.#grants.grant(file, 'file');
        sendEvent(this.#window, { event: 'opened', data: { path: file } });
      }),
    );
  }

  async #decide(window: BrowserWindow, studio: Studio): Promise<void> {
    // A studio that cannot answer must not keep its window open for ever.
    const closing = await decideClosing(window, studio.handlers).catch(() => 'quit' as const);
    if (closing === 'stay') return;
    this.#closingDecided = true;
    const gone = new Promise<void>((resolve) => window.once('closed', () => resolve()));
    window.close();
    if (closing !== 'quit') return;
    // The page stores what was typed last as it goes.
    await Promise.race([gone, pause(MILLISECONDS_TO_GO)]);
    await this.#quit();
  }

  /** Shows the window, at a place of the page where one is named. */
  #show(route?: string): void {
    if (this.#quitting) return;
    // A new page does not listen yet: it begins there.
    if (this.#window === null) return this.#take(openWindow(this.options.dist, undefined, route));
    if (route !== undefined) sendEvent(this.#window, { event: 'followed', data: { route } });
    if (this.#window.isMinimized()) this.#window.restore();
    this.#window.show();
    this.#window.focus();
  }

  #attend(studio: Studio): Attention {
    let blocker: number | null = null;
    return new Attention({
      settings: () => studio.handlers['settings.get']({}),
      isWatched: () => this.#window?.isFocused() ?? false,
      notify: (notice) => this.#notify(notice),
      holdAwake: (awake) => {
        if (blocker !== null) powerSaveBlocker.stop(blocker);
        // The screen may go dark: only the computer stays awake.
        blocker = awake ? powerSaveBlocker.start('prevent-app-suspension') : null;
      },
    });
  }

  #notify({ title, body, route }: Notice): void {
    if (!Notification.isSupported()) return;
    const shown = new Notification({ title, body });
    shown.on('click', () => this.#show(route));
    shown.show();
  }

  #onEvent(event: StudioEvent): void {
    sendEvent(this.#window, event);
    // A closing studio answers no more.
    void this.#attention?.hear(event).catch((error: unknown) => console.error(error));
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
