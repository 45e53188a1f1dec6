/** What a user has entered stays: ticks while runs go on beside an open dialog, a draft when its window goes. */
import type { CallOutput } from '../../electron/contract/index.js';
import { expect, Studio, test } from './harness.js';

const slow = { timeout: 120_000 };

async function startRun(
  studio: Studio,
  projectId: number,
  maxSteps: number,
): Promise<CallOutput<'runs.start'>[number]> {
  const [dataset] = await studio.call('datasets.list', { projectId });
  const model = (await studio.call('models.list', {})).find((one) => one.builtIn);
  const [run] = await studio.call('runs.start', {
    projectId,
    plans: [
      {
        model: model?.name ?? '',
        data: dataset?.name ?? '',
        method: { type: 'lora', rank: 4 },
        training: { maxSteps, batchSize: 8, maxLength: 32, validateEverySteps: maxSteps, seed: 7 },
        device: 'cpu',
      },
    ],
  });
  if (!run) throw new Error('no run was started');
  return run;
}

test('ticks in a dialog stay while another run goes on', async ({ studio }) => {
  const { page } = studio;
  const { id: projectId } = await studio.call('projects.createSample', {});
  const rows = async () => (await studio.call('datasets.list', { projectId }))[0]?.rows.train ?? 0;
  await expect.poll(rows, slow).toBeGreaterThan(0);
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
  await page.keyboard.press('Escape');
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
  const { id } = await studio.call('projects.createSample', {});
  const rows = async () => (await studio.call('datasets.list', { projectId: id }))[0]?.rows.train ?? 0;
  await expect.poll(rows, slow).toBeGreaterThan(0);
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
