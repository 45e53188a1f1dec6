/** Going on from a finished run, and a base model of one's own: both as a user meets them. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from './harness.js';

// Deadlines of single steps are for a loaded two-core machine.
const slow = { timeout: 180_000 };

test('trains a second round on a finished run and shows what it brought', async ({ studio }) => {
  test.setTimeout(420_000);
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  await at('try-sample').click();
  await expect(at('train')).toBeEnabled(slow);
  const projectId = (await studio.call('projects.list', {}))[0]?.id ?? 0;
  const [model] = await studio.call('models.list', {});
  const [data] = await studio.call('datasets.list', { projectId });
  const [first] = await studio.call('runs.start', {
    projectId,
    plans: [
      {
        model: model?.name ?? '',
        data: data?.name ?? '',
        method: { type: 'lora' },
        training: { maxSteps: 6, batchSize: 8, maxLength: 32, learningRate: 0.002, seed: 1 },
      },
    ],
  });
  await studio.go(`#/project/${projectId}/runs/${first?.id ?? 0}`);
  await at('run-refine').click(slow);
  await expect(at('former')).toContainText(`Run ${first?.id}`);
  // Another method has to come on top of the first, which is said before it starts.
  await at('method-lora').click();
  await at('method-bitfit').click();
  await expect(at('former-how')).not.toHaveAttribute('data-how', '', slow);
  await expect(at('train')).toBeEnabled(slow);
  await studio.looked('refine', 'a further round');
  await at('training-maxSteps').fill('4');
  await at('train').click();
  await expect(at('run-state')).toHaveAttribute('data-state', 'finished', slow);
  await expect(at('rounds')).toContainText(/points/, slow);
  const [second] = (await studio.call('runs.list', { projectId })).filter(({ plan }) => plan.refines !== undefined);
  expect(second?.plan).toMatchObject({ refines: first?.id, method: { type: 'bitfit' } });
  await expect(at(`round-${first?.id}`)).toBeVisible();
  await expect(at(`round-${second?.id}`)).toBeVisible();
  await studio.looked('rounds', 'a run of two rounds');
  expect(studio.complaints).toEqual([]);
});

test('makes a base model from text, and shows it among the others', async ({ studio, home }) => {
  test.setTimeout(420_000);
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  await at('try-sample').click();
  await expect(at('train')).toBeEnabled(slow);
  await at('model-menu').click();
  await page.getByRole('menuitem', { name: 'New model from text' }).click();
  await expect(at('new-model-make')).toBeDisabled();
  await expect(at('new-model-missing')).toHaveText('Add a text file to learn from.');
  const written = async (name: string, days: number): Promise<void> => {
    const file = path.join(home, name);
    const day = (i: number) => `The tide of day ${i % 30} came in at ${i % 24} and went out ${i % 12} hours later.`;
    await writeFile(file, Array.from({ length: days }, (_, i) => day(i)).join('\n'));
    await studio.choose(file);
    await at('new-model-text').click();
    await expect(at('new-model')).toContainText(name);
  };
  await written('few.txt', 40);
  const place = path.join(home, 'made');
  await mkdir(place);
  await studio.choose(place);
  await at('new-model-place').click();
  await at('new-model-name').fill('tides');
  for (const [field, value] of Object.entries({
    layers: '1',
    hiddenSize: '32',
    heads: '2',
    vocabularySize: '200',
    maxLength: '32',
    maxSteps: '8',
    tokensPerStep: '256',
  }))
    await at(`new-model-${field}`).fill(value);
  await at('new-model-layers').fill('0');
  await expect(at('new-model-missing')).toHaveText('Correct the marked fields.');
  await studio.looked('new-model-fault', 'the new model dialog with a fault');
  await at('new-model-layers').fill('1');
  await expect(at('new-model-missing')).toBeHidden();
  await studio.looked('new-model', 'the new model dialog');
  // Too little text is refused, and what was chosen stays.
  await at('new-model-make').click();
  await expect(at('new-model')).toContainText('a model needs 50 at least', slow);
  await written('tides.txt', 2000);
  await at('new-model-make').click();
  await expect(at('new-model')).toBeHidden(slow);
  await expect
    .poll(async () => (await studio.call('models.list', {})).map(({ name }) => name), slow)
    .toContain('tides');
  await expect(page.getByText('tides is made')).toBeVisible();
  expect(studio.complaints).toEqual([]);
});
