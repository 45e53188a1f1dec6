/** The main job as a user does it, first start to export, with axe on every screen in both themes. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from './harness.js';
import { classScores } from '../helpers/scores.js';

test('trains the sample, compares, answers and exports', async ({ studio, home }) => {
  test.setTimeout(420_000);
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  // Deadlines of single steps are for a loaded two-core machine.
  const slow = { timeout: 120_000 };

  await expect(at('try-sample')).toBeVisible();
  await studio.looked('home-empty', 'home-empty');
  await at('try-sample').click();
  await expect(at('train')).toBeEnabled({ timeout: 60_000 });

  // LoRA and the baseline are chosen from the start; the head-only probe joins.
  await at('method-head').click();
  // A plan outlives its screen, and goes on being read when the user is back.
  await at('nav-runs').click();
  await at('nav-models').click();
  await at('seeds').fill('1');
  await at('training-maxSteps').fill('12');
  await at('training-batchSize').fill('8');
  await at('training-maxLength').fill('32');
  await expect(at('trainable-count')).toContainText(/\d/);
  await expect(at('train')).toContainText('3 runs');
  await studio.looked('models', 'models');
  await at('train').click();

  await expect(at('run-state')).toBeVisible();
  await expect(at('run-state')).toHaveAttribute('data-state', 'finished', slow);
  const projectId = (await studio.call('projects.list', {}))[0]?.id ?? 0;
  const first = (await studio.call('runs.list', { projectId })).find((run) => run.state === 'finished');
  expect(classScores(first?.result?.test).macroF1).toBeGreaterThan(0);
  const history = await studio.call('runs.history', { id: first?.id ?? 0 });
  expect(history.steps.map((step) => step.step)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
  await expect(at('run-step')).toContainText('12');
  await expect(at('loss-chart').locator('canvas')).toBeVisible();
  await studio.looked('run', 'run');

  await expect
    .poll(async () => (await studio.call('runs.list', { projectId })).map((run) => run.state), slow)
    .toEqual(['finished', 'finished', 'finished']);
  await at('run-compare').click();
  await expect(at('comparison-table')).toBeVisible(slow);
  for (const method of ['full', 'lora', 'head']) await expect(at(`compare-${method}`)).toBeVisible();
  await expect(at('verdicts')).toContainText(/\w/);
  await studio.looked('compare', 'compare');

  await studio.go(`#/project/${projectId}/playground`);
  await at('take-test-row').click();
  await expect(at('playground-source')).toBeVisible();
  await at('playground-read').click();
  const labels = (await studio.call('datasets.list', { projectId }))[0]?.labels ?? [];
  for (const reader of ['full', 'lora', 'base']) {
    await expect(at(`answer-${reader}-label`)).not.toHaveText('–', slow);
    expect(labels).toContain(await at(`answer-${reader}-label`).textContent());
  }
  await studio.looked('playground', 'playground');

  await studio.go(`#/project/${projectId}/exports`);
  const lora = (await studio.call('runs.list', { projectId })).find((run) => run.plan.method.type === 'lora');
  await at(`export-run-${lora?.id}`).click();
  await at('format-peft').check();
  const target = path.join(home, 'exported');
  await studio.choose(target);
  await at('export-start').click();
  await expect(at('export-proof')).toContainText('Proved', slow);
  const [artefact] = await studio.call('exports.list', { projectId });
  expect(artefact?.proof.sameLabels).toBe(true);
  expect(artefact?.proof.largestDifference).toBeLessThan(1e-4);
  const files = await readdir(artefact?.folder ?? '');
  expect(files).toEqual(expect.arrayContaining(['adapter_config.json', 'adapter_model.safetensors']));
  expect(JSON.parse(await readFile(path.join(artefact?.folder ?? '', 'adapter_config.json'), 'utf8'))).toMatchObject({
    peft_type: 'LORA',
    task_type: 'SEQ_CLS',
  });
  await studio.looked('exports', 'exports');

  for (const [name, route, title] of [
    ['data', `#/project/${projectId}/data`, 'Data'],
    ['import', `#/project/${projectId}/data/import`, 'Import data'],
    ['runs', `#/project/${projectId}/runs`, 'Runs'],
    ['home', '#/', 'Projects'],
    ['settings', '#/settings', 'Settings'],
    ['help', '#/help/lora', 'LoRA'],
  ] as const) {
    await studio.go(route);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(title);
    await page.waitForTimeout(400);
    await studio.looked(name, name);
  }
  await page.keyboard.press('Control+k');
  await expect(at('palette-input')).toBeFocused();
  await studio.expectAccessible('command palette');
  expect(studio.complaints).toEqual([]);
});
