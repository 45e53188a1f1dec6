/** Progressive unfreezing as a user meets it: stages seen before training, trained one after the other, their scores, the export. */
import path from 'node:path';
import { expect, test } from './harness.js';
import { classScores } from '../helpers/scores.js';

test('trains in stages and shows what each brought', async ({ studio, home }) => {
  test.setTimeout(420_000);
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  // Deadlines of single steps are for a loaded two-core machine.
  const slow = { timeout: 180_000 };

  await at('try-sample').click();
  await expect(at('train')).toBeEnabled(slow);
  // LoRA and the baseline are chosen from the start.
  for (const method of ['full', 'lora', 'progressive']) await at(`method-${method}`).click();
  await at('show-progressive').click();
  await expect(at('method-options')).toContainText('Progressive unfreezing');
  await at('seeds').fill('1');
  await at('training-maxSteps').fill('16');
  await at('training-batchSize').fill('8');
  await at('training-maxLength').fill('32');
  await expect(at('train')).toContainText('1 run');

  // The map: by default four stages of the starter's four blocks; the lowest is frozen until the last.
  const bottom = page.locator('[data-testid="map-row"][data-group="layer 0"]');
  await expect(at('map-stage').locator('option')).toHaveCount(5, slow);
  await at('map-stage').selectOption({ label: 'Stage 1' });
  await expect(at('map-words')).toContainText('Stage 1 trains embeddings, block 4 of 4, head.');
  await expect(bottom).toContainText('frozen');
  await expect(bottom).not.toContainText('train');
  await at('map-stage').selectOption({ label: 'Stage 4' });
  await expect(bottom).toContainText('train');

  // Stage by stage: the first on the top block, the second on all at a third of the rate.
  await at('method-option-stages-add').click();
  await at('method-option-stages-add').click();
  await at('method-option-stages-1-blocks').fill('9');
  await expect(at('method-options')).toContainText('the model has 4 blocks', slow);
  await at('show-lora').click();
  await at('train').click();
  await expect(at('method-option-stages-0-blocks')).toBeFocused();
  await at('method-option-stages-1-blocks').fill('4');
  await at('method-option-stages-1-rate').fill('0.3');
  await expect(at('map-stage').locator('option')).toHaveCount(3, slow);
  await expect(at('train')).toBeEnabled();
  await studio.looked('models-progressive', 'stages in the form');
  await at('train').click();

  await expect(at('stage-1')).toBeVisible(slow);
  await expect(at('run-state')).toHaveAttribute('data-state', 'finished', slow);
  for (const stage of ['stage-1', 'stage-2']) {
    await expect(at(stage)).toHaveAttribute('data-state', 'done');
    await expect(at(stage)).toContainText(/macro F1 \d+\.\d %/);
    await expect(at(stage)).toContainText(/helped|no gain/);
  }
  await expect(at('stage-1')).toContainText('steps 1 to 8');
  await expect(at('stage-1')).toContainText('embeddings, block 4 of 4, head');
  await expect(at('stage-2')).toContainText('steps 9 to 16');
  await expect(at('stage-2')).toContainText('embeddings, all 4 blocks, head');
  await expect(at('stage-2')).toContainText('points');
  await expect(at('loss-chart').locator('canvas')).toBeVisible();
  await studio.looked('run-stages', 'a run in stages');

  const projectId = (await studio.call('projects.list', {}))[0]?.id ?? 0;
  const [run] = await studio.call('runs.list', { projectId });
  const { stages, validations, steps } = await studio.call('runs.history', { id: run?.id ?? 0 });
  expect(stages.map(({ firstStep, lastStep, next }) => [firstStep, lastStep, next])).toEqual([
    [1, 8, 'next'],
    [9, 16, 'end'],
  ]);
  expect(stages.map(({ scores }) => classScores(scores).macroF1)).toEqual(
    validations.filter(({ step }) => step === 8 || step === 16).map((validation) => classScores(validation).macroF1),
  );
  expect(stages[1]?.trainableParameters).toBeGreaterThan(stages[0]?.trainableParameters ?? Infinity);
  // What the window shows is of the largest stage: every weight.
  expect(run?.result).toMatchObject({ stages: 2, trainableParameters: run?.result?.totalParameters });
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));

  await at('run-export').click();
  await at('format-merged').check();
  await studio.choose(path.join(home, 'merged'));
  await at('export-start').click();
  await expect(at('export-proof')).toContainText('Proved', slow);
  expect(studio.complaints).toEqual([]);
});
