/** Files and folders dropped on the window, by the system's own drag events. */
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, type Studio } from './harness.js';

const starter = fileURLToPath(new URL('../../native-assets/starter-model', import.meta.url));

async function drop(studio: Studio, file: string): Promise<void> {
  const session = await studio.app.context().newCDPSession(studio.page);
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', {
      type,
      x: 700,
      y: 400,
      data: { items: [], files: [file], dragOperationsMask: 1 },
    });
  await session.detach();
}

test('a dropped data file is imported, and only that file is opened to the window', async ({ studio, home }) => {
  const file = path.join(home, 'rows.csv');
  const other = path.join(home, 'other.csv');
  for (const name of [file, other]) await writeFile(name, 'text,label\none,a\ntwo,b\nthree,a\n');
  const { id } = await studio.call('projects.create', { name: 'Drops' });
  await studio.go(`#/project/${id}/models`);
  await expect(studio.call('datasets.inspect', { path: file })).rejects.toThrow('no-access');
  await drop(studio, file);
  await expect(studio.page.getByTestId('import-screen')).toBeVisible();
  await expect(studio.page.getByTestId('role-text')).toHaveValue('text');
  await expect(studio.page.getByTestId('dataset-name')).toHaveValue('rows');
  await expect(studio.call('datasets.inspect', { path: other })).rejects.toThrow('no-access');
  expect(studio.complaints).toEqual([]);
});

test('a dropped model folder is looked into and can be added', async ({ studio, home }) => {
  const folder = path.join(home, 'my-model');
  await mkdir(folder);
  for (const name of await readdir(starter)) await copyFile(path.join(starter, name), path.join(folder, name));
  await drop(studio, folder);
  await expect(studio.page.getByTestId('model-name')).toHaveValue('my-model');
  await studio.page.getByTestId('add-model-confirm').click();
  await expect.poll(async () => (await studio.call('models.list', {})).map((model) => model.folder)).toContain(folder);
});

test('a drop that the page makes up opens nothing', async ({ studio, home }) => {
  const file = path.join(home, 'rows.csv');
  await writeFile(file, 'text,label\none,a\n');
  await studio.page.evaluate((name) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['text,label'], name));
    window.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
  }, file);
  await studio.page.waitForTimeout(300);
  await expect(studio.call('datasets.inspect', { path: file })).rejects.toThrow('no-access');
});
