/** Files and folders dropped on the window, by the system's own drag events. */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, type Studio } from './harness.js';

const starter = fileURLToPath(new URL('../../native-assets/starter-model', import.meta.url));

async function drop(studio: Studio, file: string): Promise<void> {
  // A page that is still being drawn takes nothing.
  await expect(studio.page.getByRole('heading', { level: 1 })).toBeVisible();
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

test('a dropped plan or study fills in its form, and a wrong one is refused by the name of its key', async ({
  studio,
  home,
}) => {
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  const write = async (name: string, value: unknown) => {
    const file = path.join(home, name);
    await writeFile(file, JSON.stringify(value));
    return file;
  };
  const matrix = {
    model: 'Starter',
    data: 'wordnet-domains',
    methods: [{ type: 'lora', rank: 2 }, { type: 'bitfit' }],
    seeds: [4, 5],
    training: { maxSteps: 7 },
  };
  const file = await write('plan.json', matrix);
  await drop(studio, file);
  await expect(page.getByText('Open a project first: a plan is of its data.')).toBeVisible();
  const { id } = await studio.call('projects.createSample', { sample: null });
  await studio.go(`#/project/${id}/runs`);
  await expect(at('nav-models')).toBeVisible();
  await drop(studio, file);
  // The notice goes after some seconds, so it is looked at first.
  await expect(page.getByText('The form is filled in from the file.')).toBeVisible();
  await expect(at('seeds')).toHaveValue('4, 5');
  await expect(at('training-maxSteps')).toHaveValue('7');
  await expect(at('method-bitfit')).toBeChecked();
  await expect(at('method-full')).not.toBeChecked();
  await expect(at('train')).toContainText('4 runs');

  await drop(studio, await write('wrong.json', { ...matrix, training: { epochs: -1 } }));
  await expect(at('toast').filter({ hasText: 'training.epochs' })).toBeVisible();
  await expect(at('seeds')).toHaveValue('4, 5');

  // What the form asks for is saved as a file that opens it again, by the menu too.
  const saved = path.join(home, 'saved.json');
  await studio.choose(saved);
  await at('plan-menu').press('Enter');
  await at('plan-save').press('Enter');
  await expect.poll(() => readFile(saved, 'utf8').catch(() => '')).toContain('"bitfit"');
  await at('seeds').fill('1');
  await at('plan-menu').press('Enter');
  await at('plan-open').press('Enter');
  await expect(at('seeds')).toHaveValue('4, 5');

  await drop(
    studio,
    await write('study.json', { kind: 'cost', model: 'Starter', data: ['elsewhere'], methods: [{ type: 'bitfit' }] }),
  );
  await expect(at('study-method-bitfit')).toBeChecked();
  await expect(page.getByText('This project lacks the data set elsewhere')).toBeVisible();
  // Rows stay rows.
  await drop(
    studio,
    await write('rows.json', [
      { text: 'one', label: 'a' },
      { text: 'two', label: 'b' },
    ]),
  );
  await expect(at('import-screen')).toBeVisible();
  expect(studio.complaints).toEqual([]);
});

test('a drop that the page makes up opens nothing', async ({ studio, home }) => {
  const file = path.join(home, 'rows.csv');
  await writeFile(file, 'text,label\none,a\n');
  await expect(studio.page.getByRole('heading', { level: 1 })).toBeVisible();
  await studio.page.evaluate((name) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['text,label'], name));
    window.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
  }, file);
  await studio.page.waitForTimeout(300);
  await expect(studio.call('datasets.inspect', { path: file })).rejects.toThrow('no-access');
});
