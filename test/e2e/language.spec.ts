/** Writing text in the real window: instructions are imported and shown token by token, a tiny decoder trains on them, and is compared. */
import path from 'node:path';
import { writeFile } from 'node:fs/promises';
import { expect, test } from './harness.js';

const model = path.join(import.meta.dirname, '..', 'fixtures', 'oracle', 'models', 'llama');
const words = ['cat', 'dog', 'sun', 'rain', 'tree', 'fish'];

test('instructions to a comparison by perplexity', async ({ studio, home }) => {
  test.setTimeout(300_000);
  const { page } = studio;
  const file = path.join(home, 'say.json');
  const rows = Array.from({ length: 60 }, (_, i) => ({
    instruction: `Say ${words[i % 6]} ${i}`,
    input: '',
    output: `${words[i % 6]}!`,
  }));
  await writeFile(file, JSON.stringify(rows));

  const project = await studio.call('projects.create', { name: 'Writing' });
  await studio.choose(model);
  await studio.call('files.choose', { kind: 'model-folder' });
  const added = await studio.call('models.add', { folder: model, name: 'Tiny Llama' });

  await studio.choose(file);
  await studio.go(`#/project/${project.id}/data/import`);
  await page.getByTestId('choose-file').click();
  await expect(page.getByTestId('text-form')).toBeVisible();
  await expect(page.getByTestId('part-completion')).toHaveValue('output');
  const example = page.getByTestId('example-0');
  await expect(example.locator('.trained')).toHaveText(/^cat!/);
  await page.getByTestId('examples-model').selectOption({ label: 'Tiny Llama' });
  await expect(example).toContainText('trained on');
  await studio.looked('language-import', 'import of instructions');
  await page.getByTestId('create-dataset').click();
  await expect(page.getByTestId('dataset-list')).toContainText('instructions');
  await studio.picture('language-data');
  await studio.expectAccessible('a data set of instructions');

  const [dataset] = await studio.call('datasets.list', { projectId: project.id });
  await studio.go(`#/project/${project.id}/models`);
  await expect(page.getByTestId('train')).toBeVisible();
  await studio.picture('language-models');
  await studio.expectAccessible('methods for instructions');
  // Of the settings those stand in the form that answers are learned by; of the others the reason can be read.
  await page.getByTestId('more-training').click();
  await expect(page.getByTestId('training-mlmProbability')).toBeHidden();
  await page.getByTestId('idle-training').click();
  await expect(page.getByTestId('idle-settings')).toContainText('MLM probability');
  await page.getByTestId('training-exactMatchRows').fill('abc');
  await studio.looked('language-settings', 'all settings for instructions');
  // What is wrong is said at its field, and Train leads there: the base model takes fewer tokens than are usual.
  const train = page.getByTestId('train');
  await train.click();
  await expect(page.getByTestId('training-maxLength')).toBeFocused();
  await expect(page.getByTestId('training')).toContainText('128 is too large. Give a whole number: 4 to 64.');
  await page.getByTestId('training-maxLength').fill('64');
  await train.click();
  await expect(page.getByTestId('training-exactMatchRows')).toBeFocused();
  // A faulty text goes with its field.
  await page.getByTestId('more-training').click();
  await expect(train).not.toHaveAttribute('title', 'Correct the marked fields.');
  // So is what only the studio finds: with virtual tokens fewer of the text's own fit.
  for (const method of ['full', 'lora', 'prompt']) await page.getByTestId(`method-${method}`).click();
  await train.click();
  await expect(page.getByTestId('training')).toContainText('20 of them virtual ones of this method. Use 44 or less.');
  await expect(page.getByTestId('training-maxLength')).toBeFocused();
  await page.getByTestId('training-maxLength').fill('40');
  await expect(page.getByTestId('training')).not.toContainText('virtual');

  await studio.call('runs.startMatrix', {
    projectId: project.id,
    matrix: {
      model: added.name,
      data: dataset?.name ?? '',
      objective: 'causal-lm',
      methods: [{ type: 'lora' }, { type: 'full' }],
      seeds: [1, 2],
      training: {
        maxSteps: 20,
        batchSize: 8,
        maxLength: 60,
        learningRate: 0.01,
        validateEverySteps: 5,
        exactMatchRows: 3,
      },
    },
  });
  await expect
    .poll(async () => (await studio.call('runs.list', { projectId: project.id })).map(({ state }) => state), {
      timeout: 200_000,
    })
    .toEqual(['finished', 'finished', 'finished', 'finished']);
  const [run] = await studio.call('runs.list', { projectId: project.id });
  await studio.go(`#/project/${project.id}/runs/${run?.id}`);
  await expect(page.getByText('Test perplexity')).toBeVisible();
  await expect(page.getByTestId('run-test')).toContainText(/^[1-9]/);
  await studio.picture('language-run');
  await studio.expectAccessible('a run that learned to write');
  await studio.go(`#/project/${project.id}/compare`);
  await expect(page.getByTestId('comparison-table')).toContainText('Perplexity');
  await studio.looked('language-compare', 'comparison by perplexity');
  expect(studio.complaints).toEqual([]);
});
