/** What no source may do, since a page that was taken over would make use of it (electron/SECURITY.md). */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const sources = ['electron', 'renderer'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|svelte|html)$/.test(file) && !file.startsWith('dev'))
    .map((file) => ({ file: `${folder}/${file}`, text: readFileSync(path.join(root, folder, file), 'utf8') })),
);
const holding = (what: RegExp) => sources.filter(({ text }) => what.test(text)).map(({ file }) => file);

it('hands no address or file to the system to open', () => {
  expect(sources.length).toBeGreaterThan(300);
  expect(holding(/\b(openExternal|openPath)\b/)).toEqual([]);
  // The search finds what is there.
  expect(holding(/\bshowItemInFolder\b/)).toEqual(['electron/shell/files.ts']);
});

it('runs no text as a script', () => {
  expect(holding(/(?<![.\w])eval\(|\bnew Function\(|\bexecuteJavaScript\b/)).toEqual([]);
});

it('opens no window but the one, and gives away no more than the bridge', () => {
  expect(holding(/\bnew BrowserWindow\(/)).toEqual(['electron/shell/window.ts']);
  expect(holding(/\bexposeInMainWorld\b/)).toEqual(['electron/preload.ts']);
  expect(holding(/\bipcMain\b/)).toEqual(['electron/shell/bridge.ts']);
});
