/** The app's only use of Electron's messages: one channel for calls, one for events, one for what is dropped on the window. */
import { ipcMain, type BrowserWindow, type IpcMainInvokeEvent } from 'electron';
import { events, type StudioEvent } from '../contract/calls.js';
import { StudioError } from '../contract/errors.js';
import { callChannel, dropChannel, eventChannel } from './channels.js';
import type { Answer, Dispatch } from './dispatch.js';
import { grantDropped } from './dropped.js';
import type { Grants } from './grants.js';
import { pageOrigin } from './page.js';

/** Only the top frame of our own window, on our own page, is answered. */
function isOurs(event: IpcMainInvokeEvent, window: BrowserWindow | null): boolean {
  const frame = event.senderFrame;
  return (
    window !== null &&
    !window.isDestroyed() &&
    event.sender === window.webContents &&
    frame !== null &&
    frame === window.webContents.mainFrame &&
    frame.url.startsWith(`${pageOrigin}/`)
  );
}

/**
 * @param dispatch calls wait for it
 * @param window the window of this moment; null while there is none
 */
export function serveCalls(dispatch: Promise<Dispatch>, window: () => BrowserWindow | null): void {
  ipcMain.handle(callChannel, async (event, name: unknown, input: unknown): Promise<Answer> => {
    if (isOurs(event, window())) return (await dispatch)(name, input);
    return { ok: false, problem: new StudioError('no-access', 'This page may not talk to the studio.').toProblem() };
  });
}

/** Grants what the preload saw dropped, and tells the page. */
export function serveDrops(grants: Grants, window: () => BrowserWindow | null): void {
  ipcMain.handle(dropChannel, async (event, paths: unknown): Promise<void> => {
    if (!isOurs(event, window())) return;
    const items = await grantDropped(paths, grants);
    if (items.length > 0) sendEvent(window(), { event: 'dropped', data: { items } });
  });
}

/** Sends an event to the window, if there is one; an event that breaks the contract is a fault of ours and goes to the log. */
export function sendEvent(window: BrowserWindow | null, event: StudioEvent): void {
  if (window === null || window.isDestroyed() || window.webContents.isCrashed()) return;
  const data = events[event.event].safeParse(event.data);
  if (data.success) window.webContents.send(eventChannel, event.event, data.data);
  else console.error(`Event "${event.event}" is not as agreed: ${data.error.message}`);
}
