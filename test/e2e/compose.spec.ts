/** Composition as a user meets it: two finished runs averaged by weights, why others do not fit, the result and what it is made of. */
import { expect, test } from './harness.js';

test('averages two finished runs and shows what came of it', async ({ studio }) => {
  test.setTimeout(420_000);
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  // Deadlines of single steps are for a loaded two-core machine.
  const slow = { timeout: 180_000 };

  await at('try-sample').click();
  await expect(at('train')).toBeEnabled(slow);
  const projectId = (await studio.call('projects.list', {}))[0]?.id ?? 0;
  const [model] = await studio.call('models.list', {});
  const [data] = await studio.call('datasets.list', { projectId });
  const training = { maxSteps: 8, batchSize: 8, maxLength: 32, learningRate: 0.002 };
  const plan = (type: string, seed: number) => ({
    model: model?.name ?? '',
    data: data?.name ?? '',
    method: { type },
    training: { ...training, seed },
  });
  const plans = [plan('lora', 1), plan('lora', 2), plan('bottleneck', 3)];
  // Looked at before anything can have finished.
  await studio.go(`#/project/${projectId}/compose`);
  await expect(at('compose-empty')).toBeVisible();
  const [first, second, third] = (await studio.call('runs.start', { projectId, plans })).map(({ id }) => id);
  for (const id of [first, second, third]) await expect(at(`part-${id}`)).toBeVisible(slow);

  // What does not fit says why.
  await at(`part-${first}`).check();
  await expect(at('compose-found')).toContainText('needs at least two adapters');
  await at(`part-${third}`).check();
  await expect(at('compose-found')).toContainText('"bottleneck" adds no low-rank update');
  await expect(at('compose-start')).toBeDisabled();
  await at('compose-kind').getByText('Stack').click();
  await expect(at('compose-found')).toContainText('It fits');
  await at('compose-kind').getByText('Average').click();
  await at(`part-${third}`).uncheck();

  await at(`part-${second}`).check();
  await expect(at('compose-found')).toContainText('It fits');
  await at(`weight-${first}`).fill('0.7');
  await at(`weight-${second}`).fill('0.3');
  await expect(at('compose-found')).toContainText(`r 16, mean of 0.7 × run ${first} + 0.3 × run ${second}`);
  await at('compose-start').click();
  const composed = page.locator('[data-testid^="composed-"][data-state="finished"]');
  await expect(composed).toContainText(/Average.*\d+\.\d/s, slow);
  await studio.looked('compose', 'the compose screen');

  await composed.getByRole('link').first().click();
  await expect(at('lineage')).toContainText(`run ${first}`);
  await expect(at('lineage')).toContainText('0.7');
  await studio.looked('run-composed', 'a composed run');
  const [run] = (await studio.call('runs.list', { projectId })).filter((one) => one.plan.composition);
  expect(run?.step).toBe(0);
  expect(run?.result?.test).not.toBeNull();
  const [answer] = await studio.call('playground.predict', { runIds: [run?.id ?? 0], text: 'a small bird' });
  expect(answer?.problem).toBeNull();

  await studio.go(`#/project/${projectId}/exports/${run?.id}`);
  await at('merge-start').click();
  await expect(at('merge-panel')).toContainText('Merged, it gives the same labels', slow);
  await expect(at('merge-panel')).toContainText('Taken out, the base answers as before');
  await studio.looked('merge-check', 'a merge check');
  expect(studio.complaints).toEqual([]);
});
