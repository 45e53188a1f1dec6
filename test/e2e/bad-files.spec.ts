/** Files as users bring them by mistake: each is answered on the screen with what is wrong and what to do. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, Studio, test } from './harness.js';

const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex');
const manyRows = (row: (index: number) => string) =>
  ['text,label', ...Array.from({ length: 40 }, (_, index) => row(index))].join('\n');

test('bad data files are named with reason and remedy', async ({ studio, home }) => {
  const { page } = studio;
  const project = await studio.call('projects.create', { name: 'Bad files' });
  await studio.go(`#/project/${project.id}/data/import`);
  const cases: readonly (readonly [name: string, content: string | Buffer, words: RegExp])[] = [
    ['empty.csv', '', /empty/i],
    ['picture.csv', Buffer.concat([png, Buffer.alloc(400)]), /picture\.csv/],
    ['one-class.csv', manyRows((index) => `sentence ${index},same`), /same label/i],
  ];
  for (const [name, content, words] of cases) {
    const file = path.join(home, name);
    await writeFile(file, content);
    await studio.choose(file);
    await page
      .getByRole('button', { name: /^Choose (a|another) file$/ })
      .first()
      .click();
    // What was said of the file before goes with it.
    await expect(page.getByTestId('import-screen')).toContainText(name);
    const create = page.getByTestId('create-dataset');
    const problem = page.getByTestId('import-problem');
    await expect(problem.or(page.getByTestId('columns'))).toBeVisible();
    if (!(await problem.isVisible())) await create.click();
    await expect(problem, name).toContainText(words);
    expect(await studio.call('datasets.list', { projectId: project.id })).toEqual([]);
  }
  await studio.expectAccessible('a refused import');
});

test('bad model folders are refused with a reason', async ({ studio, home }) => {
  const folder = async (name: string, files: Record<string, string | Buffer>) => {
    const place = path.join(home, name);
    await mkdir(place, { recursive: true });
    for (const [file, content] of Object.entries(files)) await writeFile(path.join(place, file), content);
    return place;
  };
  const config = JSON.stringify({
    model_type: 'bert',
    vocab_size: 10,
    hidden_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 16,
    max_position_embeddings: 8,
    type_vocab_size: 2,
    layer_norm_eps: 1e-12,
    hidden_act: 'gelu',
  });
  const lying = Buffer.alloc(16);
  lying.writeBigUInt64LE(1n << 60n);
  const cases: readonly (readonly [string, Record<string, string | Buffer>, RegExp])[] = [
    ['nothing', {}, /config\.json/],
    ['unknown', { 'config.json': JSON.stringify({ model_type: 'clockwork' }) }, /clockwork/],
    ['lying', { 'config.json': config, 'model.safetensors': lying }, /model\.safetensors/],
    [
      'outside',
      {
        'config.json': config,
        'model.safetensors.index.json': JSON.stringify({ weight_map: { a: '../../secret.safetensors' } }),
      },
      /secret\.safetensors|outside/,
    ],
    ['pickle', { 'config.json': config, 'pytorch_model.bin': Buffer.from('80027d71002e', 'hex') }, /pickle/],
  ];
  for (const [name, files, words] of cases) {
    const place = await folder(name, files);
    await studio.choose(place);
    await studio.call('files.choose', { kind: 'model-folder' });
    await expect(studio.call('models.add', { folder: place }), name).rejects.toThrow(words);
    await expect(studio.call('models.add', { folder: place }), name).rejects.not.toThrow(/^internal/);
  }
  expect((await studio.call('models.list', {})).filter((model) => !model.builtIn)).toEqual([]);
});

test('a damaged database is kept aside and the app starts', async ({ home }) => {
  const first = await Studio.start(home);
  await first.call('projects.create', { name: 'Before' });
  await first.close();
  const file = (await readdir(home)).find((name) => /\.(db|sqlite3?)$/.test(name)) ?? '';
  expect(file).not.toBe('');
  const damaged = Buffer.from('this is not a database, whatever its name says '.repeat(200));
  for (const suffix of ['-wal', '-shm']) await writeFile(path.join(home, file + suffix), '');
  await writeFile(path.join(home, file), damaged);
  const second = await Studio.start(home);
  try {
    expect(await second.call('projects.list', {})).toEqual([]);
    await expect(second.page.getByTestId('toast').first()).toContainText(/was damaged and is kept as/);
    const others = (await readdir(home)).filter((name) => name.startsWith(file.split('.')[0] ?? file) && name !== file);
    const kept = await Promise.all(
      others.map(async (name) => (await readFile(path.join(home, name)).catch(() => Buffer.alloc(0))).equals(damaged)),
    );
    expect(kept).toContain(true);
  } finally {
    await second.close();
  }
});
