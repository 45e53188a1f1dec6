/** The one window: sandboxed, isolated, going nowhere but its own page. */
import { app, BrowserWindow, nativeTheme, session } from 'electron';
import path from 'node:path';
import type { Settings } from '../contract/entities.js';
import { pageAddress, pageOrigin } from './page.js';

/** Height of the page's title bar (electron/charting/tokens.css, --titlebar) less its border. */
const titleBarHeight = 39;
/** Window buttons and the empty window before the page has drawn: the page's --text and --bg in both themes. */
const chrome = {
  light: { symbols: 'rgb(27, 30, 36)', background: 'rgb(245, 246, 247)' },
  dark: { symbols: 'rgb(231, 233, 236)', background: 'rgb(20, 22, 26)' },
} as const;
const currentChrome = () => (nativeTheme.shouldUseDarkColors ? chrome.dark : chrome.light);

/** Denies what no page of this app needs, for every page there will ever be. */
export function lockDown(): void {
  // Chromium loads dictionaries from the network as soon as a session works, whatever a window's own `spellcheck` says.
  app.on('session-created', (created) => created.setSpellCheckerLanguages([]));
  app.on('web-contents-created', (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
    contents.on('will-navigate', (event) => {
      if (new URL(event.url).host !== new URL(pageOrigin).host || !event.url.startsWith(`${pageOrigin}/`))
        event.preventDefault();
    });
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
  });
}

function denyPermissions(): void {
  // Copying a table or a path to the clipboard is all that the page may ask for.
  const allowed = (permission: string) => permission === 'clipboard-sanitized-write';
  session.defaultSession.setPermissionRequestHandler((_contents, permission, answer) => answer(allowed(permission)));
  session.defaultSession.setPermissionCheckHandler((_contents, permission) => allowed(permission));
  session.defaultSession.setDevicePermissionHandler(() => false);
}

/**
 * @param folder where preload.cjs lies (dist/)
 * @param ready the drawn page is shown from then on
 * @param route where the page begins, "#/…"
 */
export function openWindow(folder: string, ready: Promise<void> = Promise.resolve(), route = ''): BrowserWindow {
  denyPermissions();
  const window = new BrowserWindow({
    width: 1440,
    height: 900,
    minWidth: 1000,
    minHeight: 640,
    show: false,
    title: 'PEFT Studio',
    backgroundColor: currentChrome().background,
    ...(process.platform === 'darwin'
      ? { titleBarStyle: 'hiddenInset' as const, trafficLightPosition: { x: 14, y: 13 } }
      : { titleBarStyle: 'hidden' as const, titleBarOverlay: overlay() }),
    webPreferences: {
      preload: path.join(folder, 'preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
      navigateOnDragDrop: false,
    },
  });
  const repaint = () => {
    window.setBackgroundColor(currentChrome().background);
    if (process.platform !== 'darwin') window.setTitleBarOverlay(overlay());
  };
  nativeTheme.on('updated', repaint);
  window.on('closed', () => nativeTheme.off('updated', repaint));
  window.once('ready-to-show', () => {
    void ready.then(() => {
      if (!window.isDestroyed()) window.show();
    });
  });
  // The page went down, not the studio: its runs go on, and a new page reads everything again.
  window.webContents.on('render-process-gone', (_event, details) => {
    if (details.reason !== 'clean-exit' && !window.isDestroyed()) window.webContents.reload();
  });
  void window.loadURL(pageAddress + route);
  return window;
}

const overlay = () => ({ color: 'rgba(0, 0, 0, 0)', symbolColor: currentChrome().symbols, height: titleBarHeight });

/** Follows the setting; the page reads it by prefers-color-scheme too. */
export function applyTheme(theme: Settings['theme']): void {
  nativeTheme.themeSource = theme;
}
