/** The main job without a mouse: every step by keys, with the focus never lost and always seen. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from './harness.js';
import { Keys } from './keys.js';

test('trains the sample, compares and exports by the keyboard alone', async ({ studio, home }) => {
  test.setTimeout(420_000);
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  // Deadlines of single steps are for a loaded two-core machine.
  const slow = { timeout: 120_000 };
  const keys = new Keys(page);
  // What moves looks different for a moment without the focus.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await expect(at('try-sample')).toBeVisible(slow);
  // Less motion: what a component says of its own movements is not heard.
  const moving = () =>
    [...document.querySelectorAll('*')].filter((element) => {
      const { transitionDuration, animationName } = getComputedStyle(element);
      return transitionDuration !== '0s' || animationName !== 'none';
    }).length;
  expect(await page.evaluate(moving)).toBe(0);
  await keys.around('the first start');

  // A dialog keeps the focus, and gives it back.
  await keys.use('new-project');
  await expect(page.getByRole('dialog')).toBeVisible();
  await keys.around('the dialog of a new project');
  await keys.press('Escape');
  await expect(at('new-project')).toBeFocused();

  await keys.use('try-sample');
  await expect(at('train')).toBeEnabled(slow);
  // The map and the counts come after the form.
  await expect(at('map-row').first()).toBeVisible(slow);
  await expect(at('trainable-count')).toContainText(/\d/, slow);
  await keys.kept('after the sample was made');
  await keys.around('model and method');

  // A select, boxes and fields; the smallest training there is.
  await keys.to('base-model');
  await keys.press('ArrowDown');
  await keys.write('seeds', '1');
  for (const [field, value] of [
    ['batchSize', '8'],
    ['maxLength', '16'],
    ['maxSteps', '4'],
  ] as const)
    await keys.write(`training-${field}`, value);
  await keys.use('method-head', 'Space');
  await expect(at('method-head')).toBeChecked();
  await keys.use('method-lora', 'Space');
  await expect(at('method-lora')).not.toBeChecked();
  await expect(at('train')).toContainText('2 runs');
  await keys.use('train');

  await expect(at('run-state')).toHaveAttribute('data-state', 'finished', slow);
  await keys.kept('after the training was started');
  const projectId = (await studio.call('projects.list', {}))[0]?.id ?? 0;
  await expect
    .poll(async () => (await studio.call('runs.list', { projectId })).map((run) => run.state), slow)
    .toEqual(['finished', 'finished']);
  // A link beside every screen comes and goes with the run that trains.
  await expect(at('active-run')).toHaveCount(0);
  await keys.around('a run');
  await keys.to('loss-chart');
  await keys.press('t');
  await expect(at('loss-chart').getByRole('table')).toBeVisible();
  await keys.press('Escape');
  await expect(at('loss-chart').getByRole('img')).toBeFocused();

  await keys.use('run-compare');
  await expect(at('comparison-table')).toBeVisible(slow);
  await keys.kept('after the way to the comparison');
  await keys.around('the comparison');
  await keys.to('compare-measure');
  const before = await at('compare-measure').inputValue();
  await keys.press('ArrowDown');
  await expect(at('compare-measure')).not.toHaveValue(before);
  // Choices in a row go by arrows.
  await keys.use('compare-columns', 'ArrowRight');
  await expect(page.getByRole('columnheader', { name: 'Diff., points' })).toBeVisible();

  await keys.use('nav-exports');
  await expect(at('export-runs')).toBeVisible(slow);
  await keys.around('the exports');
  const head = (await studio.call('runs.list', { projectId })).find((run) => run.plan.method.type === 'head');
  await keys.use(`export-run-${head?.id}`);
  await expect(at(`export-run-${head?.id}`)).toHaveAttribute('aria-current', 'true');
  await studio.choose(path.join(home, 'exported'));
  await keys.use('export-start');
  await expect(at('export-proof')).toContainText('Proved', slow);
  await keys.kept('after the export');
  const [artefact] = await studio.call('exports.list', { projectId });
  expect((await readdir(artefact?.folder ?? '')).length).toBeGreaterThan(0);

  // A menu opens, walks and closes by keys, and gives the focus back.
  await keys.use('nav-runs');
  await expect(at('runs-list')).toBeVisible();
  await keys.around('the runs');
  await keys.use('nav-home');
  await expect(at('spark')).toBeVisible();
  await keys.around('the projects');
  await keys.use('spark');
  await expect(at('spark-table').getByRole('row')).toHaveCount(3);
  await keys.press('Escape');
  await expect(at('spark')).toBeFocused();
  await keys.use('project-menu');
  await expect(page.getByRole('menu')).toBeVisible();
  await keys.press('ArrowDown');
  await keys.press('Escape');
  await expect(at('project-menu')).toBeFocused();
  expect(studio.complaints).toEqual([]);
});
