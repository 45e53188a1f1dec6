/** A study as a user meets it: what each kind answers, a plan checked before it starts, its progress, its report, and the report as files. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { reportSchema } from '../../electron/contract/index.js';
import { expect, test } from './harness.js';

test('plans a small quality study, pauses it, reads its report and exports it', async ({ studio, home }) => {
  test.setTimeout(900_000);
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  // Deadlines of single steps are for a loaded two-core machine.
  const slow = { timeout: 300_000 };

  await at('try-sample').click();
  await expect(at('train')).toBeEnabled(slow);
  const projectId = (await studio.call('projects.list', {}))[0]?.id ?? 0;
  await at('nav-studies').click();
  await expect(at('studies-empty')).toContainText('Quality gap');
  await studio.looked('studies-empty', 'the studies of a new project');

  // The plan by keyboard and fields; what it would do is told before anything starts.
  await at('plan-quality').press('Enter');
  await expect(at('study-runs')).toBeVisible(slow);
  await at('study-method-bitfit').check();
  await at('study-seeds').fill('1');
  await at('study-rates').fill('0.003');
  await at('study-training-maxSteps').fill('6');
  await at('study-training-batchSize').fill('8');
  await at('study-training-maxLength').fill('32');
  await expect(at('study-outline')).toContainText('With one seed nothing can be shown to be equal', slow);
  await at('study-seeds').fill('one');
  await expect(at('study-setup')).toContainText('Whole numbers, such as 1, 2, 3');
  await expect(at('study-outline')).toContainText('Correct the marked fields.');
  await at('study-start').click();
  await expect(at('study-seeds')).toBeFocused();
  await at('study-seeds').fill('1, 2');
  await at('study-name').fill('Small gap');
  await expect(at('study-runs')).toHaveText('6 runs', slow);
  // Two rates of three methods on the first seed, then the second seed of each.
  await at('study-rates').fill('0.001, 0.003');
  await expect(at('study-runs')).toHaveText('9 runs', slow);
  await at('study-rates').fill('0.003');
  await at('study-method-bitfit').uncheck();
  await expect(at('study-runs')).toHaveText('4 runs', slow);
  await at('study-measure').click();
  await expect(at('study-measured')).toContainText('on disk', slow);
  await studio.looked('study-new', 'a new study');

  // A plan saved as a file is the plan that the file gives back.
  const file = path.join(home, 'study.json');
  await studio.choose(file);
  await at('study-save').click();
  await expect.poll(() => readFile(file, 'utf8').catch(() => '')).toContain('"quality"');
  await at('study-method-lora').uncheck();
  await expect(at('study-outline')).toContainText('at least one method', slow);
  await at('study-file').setInputFiles(file);
  await expect(at('study-runs')).toHaveText('4 runs', slow);
  await expect(at('study-method-lora')).toBeChecked();
  await writeFile(path.join(home, 'wrong.json'), '{"kind":"taste"}');
  await at('study-file').setInputFiles(path.join(home, 'wrong.json'));
  await expect(page.getByText('The file holds no study.')).toBeVisible();

  // The draft outlives the window.
  await expect.poll(() => page.evaluate(() => Object.values(localStorage).join())).toContain('"Small gap"');
  await page.reload();
  await expect(at('study-name')).toHaveValue('Small gap');
  await expect(at('study-runs')).toHaveText('4 runs', slow);

  await at('study-start').click();
  await expect(at('study-progress')).toBeVisible();
  await expect(at('study-done')).toContainText(/[1-4] of 4/, slow);
  await at('study-pause').click();
  await expect(at('study-state')).toContainText('Paused', slow);
  await studio.looked('study-paused', 'a paused study');
  // Cancelling says what stays and asks; closed, nothing has changed.
  await at('study-cancel').click();
  await expect(page.getByRole('dialog')).toContainText('runs have ended and stay');
  await page.keyboard.press('Escape');
  await expect(at('study-state')).toContainText('Paused');
  await at('study-resume').click();
  await expect(at('study-state')).toContainText('Running', slow);
  await studio.looked('study-running', 'a running study');
  await expect(at('study-state')).toContainText('Finished', slow);

  // The report: verdicts with the runs they rest on, figures with their tables, tables that sort.
  await expect(at('report-verdicts')).toContainText(/LoRA.*full fine-tuning/s, slow);
  await expect(at('report-part')).toHaveCount(0);
  await expect(at('report').locator('canvas').first()).toBeVisible();
  const gaps = at('report-table-gaps');
  const first = () => gaps.locator('tbody tr').first().innerText();
  const before = await first();
  await gaps.getByRole('button', { name: /^Difference from/ }).click();
  await expect(gaps.locator('th[aria-sort="descending"]')).toHaveCount(1);
  expect(await first()).not.toBe(before);
  await studio.looked('study-report', 'the report of a study');
  await page.locator('main').evaluate((main) => main.scrollTo(0, 700));
  await studio.picture('study-report-below');
  await at('report-verdicts').getByRole('link').first().click();
  await expect(page).toHaveURL(/runs\/\d+$/);
  await page.goBack();
  await expect(at('report-verdicts')).toBeVisible(slow);

  const [study] = await studio.call('studies.list', { projectId });
  const id = study?.id ?? 0;
  const { whole, report } = await studio.call('studies.report', { id });
  expect(whole).toBe(true);
  for (const format of ['html', 'pdf', 'csv', 'json'] as const) {
    const out = path.join(home, `report.${format}`);
    await studio.choose(out);
    await at('report-export').click();
    await at(`export-${format}`).click();
    await expect
      .poll(
        () =>
          readFile(out).then(
            (bytes) => bytes.length,
            () => 0,
          ),
        slow,
      )
      .toBeGreaterThan(1000);
  }
  const html = await readFile(path.join(home, 'report.html'), 'utf8');
  for (const { text } of report.verdicts) expect(html).toContain(text.replaceAll("'", '&#39;'));
  expect(html).not.toContain('<script');
  expect((await readFile(path.join(home, 'report.pdf'))).subarray(0, 5).toString()).toBe('%PDF-');
  expect(reportSchema.parse(JSON.parse(await readFile(path.join(home, 'report.json'), 'utf8')))).toEqual(report);
  // For who wants to look at them.
  const kept = process.env['PEFT_STUDIO_KEEP_REPORT'];
  if (kept)
    for (const format of ['html', 'pdf'])
      await writeFile(`${kept}.${format}`, await readFile(path.join(home, `report.${format}`)));

  await studio.go(`#/project/${projectId}/studies`);
  await expect(at(`study-${id}`)).toContainText('Small gap');
  await studio.looked('studies', 'the list of studies');

  // What to ship by it: a limit that nothing was measured for asks for a study, the evidence leads back to this one.
  await at('studies-advice').press('Enter');
  await expect(at('advice-verdict')).toContainText('Ship', slow);
  await expect(at('advice-table')).toContainText('LoRA');
  await at('advice-disk').fill('0.000001');
  await expect(at('advice-verdict')).toContainText('Nothing that was measured keeps the limits.', slow);
  await at('advice-disk').fill('x');
  await expect(at('advice-limits')).toContainText('"x" is not a number');
  await at('advice-disk').fill('');
  await at('advice-latency').fill('5');
  await expect(at('advice-run-inference')).toBeVisible(slow);
  await studio.looked('advice', 'advice by a study');
  await at(`advice-study-${id}`).click();
  await expect(page).toHaveURL(new RegExp(`studies/${id}$`));
  await studio.go(`#/project/${projectId}/studies`);
  await at(`more-${id}`).click();
  await page.getByRole('menuitem', { name: 'Delete, keep its runs' }).click();
  await page.getByRole('button', { name: 'Delete study' }).click();
  await expect(at('studies-empty')).toBeVisible();
  // It can be taken back for some seconds; what is gone on from removes it for good.
  await page.getByTestId('toast').getByRole('button', { name: 'Undo' }).click();
  await expect(at(`study-${id}`)).toBeVisible();
  await at(`more-${id}`).click();
  await page.getByRole('menuitem', { name: 'Delete, keep its runs' }).click();
  await page.getByRole('button', { name: 'Delete study' }).click();
  await expect(at('studies-empty')).toBeVisible();
  await studio.go(`#/project/${projectId}/studies/advice`);
  await expect(at('advice-empty')).toContainText('No finished study');
  expect((await studio.call('runs.list', { projectId })).length).toBe(4);
  expect(studio.complaints).toEqual([]);
});
