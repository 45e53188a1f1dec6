/** Prompt wording as a user meets it: nothing trains, candidates with their scores as it searches, the text to edit, score, copy and export. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from './harness.js';

test('finds a wording, shows how, and gives it as a text', async ({ studio, home }) => {
  test.setTimeout(420_000);
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  // Deadlines of single steps are for a loaded two-core machine.
  const slow = { timeout: 180_000 };

  await at('try-sample').click();
  await expect(at('train')).toBeEnabled(slow);
  // LoRA and the baseline are chosen from the start.
  for (const method of ['full', 'lora', 'prompt-search']) await at(`method-${method}`).click();
  await at('show-prompt-search').click();
  await expect(at('method-options')).toContainText('Prompt wording');
  await at('method-option-initText').fill('The topic of this text is');
  await at('method-option-candidates').fill('5');
  await at('seeds').fill('1');
  await at('training-maxSteps').fill('8');
  await at('training-batchSize').fill('16');
  await at('training-maxLength').fill('40');
  await at('training-validateEverySteps').fill('2');
  await at('training-validateEverySteps').blur();

  // How it answers: by label words, whose template and words can be given.
  await at('answer-by').getByText('By label words').click();
  await at('verbalizer-template').fill('{text} {mask}');
  await expect(at('verbalizer-word').first()).toBeVisible();
  await expect(at('train')).toContainText('1 run');
  await expect(at('train')).toBeEnabled(slow);
  await studio.looked('models-wording', 'label words in the form');
  await at('verbalizer-template').fill('{text} It was {mask}.');
  await at('train').click();

  // While it searches: the text now and the best, candidates with their scores.
  await expect(at('wording-candidates')).toContainText('The topic of this text is'.toLowerCase(), slow);
  await expect(at('wording-best').or(at('wording-text'))).toBeVisible(slow);
  await studio.picture('run-wording-searching');
  await expect(at('run-state')).toHaveAttribute('data-state', 'finished', slow);
  await expect(at('wording-candidates').locator('tbody tr')).toHaveCount(5, slow);

  const projectId = (await studio.call('projects.list', {}))[0]?.id ?? 0;
  const [run] = await studio.call('runs.list', { projectId });
  const id = run?.id ?? 0;
  const { validations } = await studio.call('runs.history', { id });
  expect(validations.map(({ step }) => step)).toEqual([0, 2, 4, 6, 8]);
  const best = validations.findLast((metric) => metric.best);
  const wording = run?.result?.wording ?? '';
  expect(best?.search?.wording).toBe(wording);
  expect(run?.result?.trainableParameters).toBe(0);
  await expect(at('wording-text')).toHaveValue(wording);

  // Typed in, it scores as it did when it was found; edited, it is scored anew.
  await at('wording-score').click();
  await expect(at('wording-scored')).toContainText('the wording that was found', slow);
  await expect(at('wording-scored')).toContainText(`loss ${(best?.loss ?? 0).toFixed(4)}`);
  await at('wording-text').fill('This is about');
  await at('wording-score').click();
  await expect(at('wording-scored')).toContainText('"This is about"', slow);
  for (const theme of ['light', 'dark'] as const) {
    await studio.theme(theme);
    await at('wording').scrollIntoViewIfNeeded();
    await studio.picture(`run-wording-${theme}`);
    await studio.expectAccessible(`a search for a wording, ${theme}`);
  }
  await at('wording-reset').click();
  await expect(at('wording-text')).toHaveValue(wording);

  await at('run-export').click();
  await expect(at('format-studio')).toBeVisible();
  await expect(at('format-peft')).toHaveCount(0);
  await studio.choose(path.join(home, 'wording'));
  await at('export-start').click();
  await expect(at('export-proof')).toContainText('Proved', slow);
  const [artefact] = await studio.call('exports.list', { projectId });
  expect(await readFile(path.join(artefact?.folder ?? '', 'prompt.txt'), 'utf8')).toBe(`${wording}\n`);
  expect(studio.complaints).toEqual([]);
});
