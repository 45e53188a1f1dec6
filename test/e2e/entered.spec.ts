/** What a user has entered stays: ticks while runs go on beside an open dialog, a draft when its window goes. */
import { expect, Studio, test } from './harness.js';
import { sampleProject, startRun } from './sample-runs.js';

const slow = { timeout: 120_000 };

test('ticks in a dialog stay while another run goes on', async ({ studio }) => {
  const { page } = studio;
  const projectId = await sampleProject(studio);
  const { id } = await startRun(studio, projectId, 2);
  await expect.poll(async () => (await studio.call('runs.get', { id })).state, slow).toBe('finished');
  await startRun(studio, projectId, 5000);
  /** The next word of the run that goes on has reached the window, and its screen. */
  const told = () =>
    page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const stop = window.studio?.on('run', () => {
            stop?.();
            setTimeout(resolve);
          });
        }),
    );

  await studio.go(`#/project/${projectId}/compare`);
  await page.getByTestId('choose-runs').click();
  const box = page.getByRole('dialog').getByRole('checkbox').first();
  await expect(box).toBeChecked();
  await box.uncheck();
  await told();
  await expect(box).not.toBeChecked();
  // What is left without being applied is as if it had not been ticked.
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await page.getByTestId('choose-runs').click();
  await expect(box).toBeChecked();

  await studio.go(`#/project/${projectId}/playground`);
  await page.getByTestId('choose-readers').click();
  const reader = page.getByTestId(`reader-${id}`);
  await expect(reader).toBeChecked();
  await reader.uncheck();
  await told();
  await expect(reader).not.toBeChecked();
});

test('a draft is kept as it was when its window is closed or loaded anew, however soon', async ({ studio, home }) => {
  const id = await sampleProject(studio);
  const open = async (of: Studio) => {
    await of.go(`#/project/${id}/studies/new`);
    return of.page.getByTestId('study-name');
  };
  const name = await open(studio);
  /** Typing comes to no rest, however long the window takes to close. */
  const typeLast = async (text: string) => {
    await expect(name).toBeVisible();
    await studio.page.evaluate(() => void (window.setTimeout = (() => 0) as unknown as typeof setTimeout));
    await name.fill(text);
  };
  await typeLast('Before loading anew');
  await studio.page.reload();
  await expect(name).toHaveValue('Before loading anew');
  await typeLast('Before closing');
  await studio.closeWindow();

  const later = await Studio.start(home);
  try {
    await expect(await open(later)).toHaveValue('Before closing');
  } finally {
    await later.close();
  }
});
