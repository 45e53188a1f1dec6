/** Numbers of pairs and rows with several labels in the real window: imported, compared, answered. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from './harness.js';

const animals = ['cat', 'dog', 'bird'];
const things = ['river', 'market', 'garden'];
const text = (i: number) => `The ${animals[i % 3]} is at the ${things[(i >> 1) % 3]} on day ${i}.`;
/** 4 to 5 for the same animal, 0 to 1 for another. */
const pairs = Array.from({ length: 90 }, (_, i) => {
  const other = (i * 7) % 11;
  return [text(i), text(other), (i % 3 === other % 3 ? 4 : 0) + (i % 10) / 10] as const;
});
const labelled = Array.from({ length: 90 }, (_, i) => {
  const labels = [...(i % 3 === 0 ? ['cat'] : []), ...((i >> 1) % 3 === 0 ? ['water'] : [])];
  return [text(i), labels.join(';')] as const;
});

test('imports, compares and answers by numbers and by several labels', async ({ studio, home }) => {
  test.setTimeout(420_000);
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  const slow = { timeout: 180_000 };
  const project = await studio.call('projects.create', { name: 'Numbers' });
  const importOf = async (name: string, task: string, lines: readonly string[]) => {
    const file = path.join(home, name);
    await writeFile(file, lines.join('\n'));
    await studio.choose(file);
    await studio.go(`#/project/${project.id}/data/import`);
    await at('choose-file').click();
    await at('import-task').selectOption(task);
    await expect(at('create-dataset')).toBeEnabled(slow);
    await studio.looked(`import-${name}`, `import of ${name}`);
    await at('create-dataset').click();
    await expect(at('rows-total')).toHaveText('90', slow);
    await studio.looked(`rows-${name}`, `rows of ${name}`);
  };
  await importOf('alike.csv', 'regression', [
    'sentence1,sentence2,score',
    ...pairs.map(([first, second, score]) => `${first},${second},${score}`),
  ]);
  await importOf('several.csv', 'multi-label', ['text,labels', ...labelled.map(([own, labels]) => `${own},${labels}`)]);
  const sets = await studio.call('datasets.list', { projectId: project.id });
  expect(sets.map(({ name, task }) => [name, task]).sort()).toEqual([
    ['alike', 'regression'],
    ['several', 'multi-label'],
  ]);

  const training = { maxSteps: 20, batchSize: 8, maxLength: 32, learningRate: 0.001, validateEverySteps: 10 };
  await studio.call('runs.start', {
    projectId: project.id,
    plans: ['alike', 'several'].flatMap((data) =>
      [{ type: 'full' }, { type: 'lora' }].map((method) => ({ model: 'Starter', data, method, training })),
    ),
  });
  await expect
    .poll(async () => (await studio.call('runs.list', { projectId: project.id })).map(({ state }) => state), slow)
    .toEqual(Array.from({ length: 4 }, () => 'finished'));
  const runs = await studio.call('runs.list', { projectId: project.id });
  for (const { name } of sets) {
    const own = runs.filter(({ datasetName }) => datasetName === name);
    const full = own.find(({ plan }) => plan.method.type === 'full');
    await studio.go(`#/project/${project.id}/runs/${full?.id}`);
    await expect(at('run-compare')).toBeVisible(slow);
    await studio.looked(`run-${name}`, `a run of ${name}`);
    await at('run-compare').click();
    for (const method of ['full', 'lora']) await expect(at(`compare-${method}`).first()).toBeVisible(slow);
    await expect(at('compare-pair')).toContainText(name);
    await studio.looked(`compare-${name}`, `comparison of ${name}`);
    await studio.go(`#/project/${project.id}/playground/${full?.id}`);
    await at('take-test-row').click();
    await expect(at('playground-source')).toBeVisible();
    await at('playground-read').click();
    await expect(at('answer-full').first()).toContainText(
      name === 'alike' ? /in the data/i : /cat|water|no label/i,
      slow,
    );
    await expect(page.locator('.stale')).toHaveCount(0, slow);
    await studio.looked(`playground-${name}`, `answers of ${name}`);
  }
  expect(studio.complaints).toEqual([]);
});
