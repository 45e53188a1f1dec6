/** Much of everything: what the window draws and asks for does not grow with it. `npm run frames` measures the frames. */
import { fill } from '../frames/fill.js';
import { expect, Studio, test } from './harness.js';

const sizes = { points: 9000, runs: 1000, rows: 5000 };
/** Rows of a list of 900 pixels with 28 each, and those drawn beyond. */
const MOST_ROWS = 60;

test('a long run, many runs and many rows are drawn by what is in sight', async ({ home }) => {
  test.setTimeout(180_000);
  const { projectId, datasetId, runId } = await fill(home, sizes);
  const studio = await Studio.start(home);
  const { page } = studio;
  try {
    await studio.go(`#/project/${projectId}/runs`);
    const list = page.getByTestId('runs-list');
    await expect(list.getByRole('listitem').first()).toHaveAttribute('aria-setsize', '1000');
    expect(await list.getByRole('listitem').count()).toBeLessThanOrEqual(MOST_ROWS);
    await list.evaluate((box) => (box.scrollTop = box.scrollHeight));
    await expect(list.getByRole('listitem').last()).toHaveAttribute('aria-posinset', '1000');
    expect(await list.getByRole('listitem').count()).toBeLessThanOrEqual(MOST_ROWS);
    // A row's menu is made when it is come to: by the pointer, or by the keyboard.
    const more = list.getByRole('button', { name: /^More for LoRA r 8, seed 1$/ });
    await more.click();
    await expect(page.getByRole('menuitem', { name: 'Delete' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('menu')).toHaveCount(0);
    const other = list.getByRole('button', { name: /^More for LoRA r 8, seed 2$/ });
    await other.focus();
    await expect(other).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('menuitem', { name: 'Delete' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(other).toBeFocused();
    // Rows take over the elements of others; never one that has the focus, or whose menu is open.
    const holder = await list.evaluateHandle(() => document.activeElement);
    await list.evaluate((box) => (box.scrollTop = 0));
    await expect(list.getByRole('listitem').first()).toHaveAttribute('aria-posinset', '1');
    expect(await holder.evaluate((element) => element?.isConnected)).toBe(false);
    await list
      .getByRole('button', { name: /^More for/ })
      .first()
      .click();
    await expect(page.getByRole('menu')).toBeVisible();
    await list.evaluate((box) => (box.scrollTop = box.scrollHeight));
    await expect(page.getByRole('menu')).toHaveCount(0);
    // Down the list by the keyboard: the focus stays on its row while others come and go.
    await list.evaluate((box) => (box.scrollTop = 0));
    await expect(list.getByRole('listitem').first()).toHaveAttribute('aria-posinset', '1');
    await list.getByRole('link').first().focus();
    const focused = () =>
      page.evaluate(() => Number(document.activeElement?.closest('[aria-posinset]')?.getAttribute('aria-posinset')));
    for (let row = 2; row <= 50; row += 1) {
      await page.keyboard.press('j');
      await expect.poll(focused).toBe(row);
    }
    // Quicker than frames come, and back.
    const walked = (key: string, times: number) =>
      page.evaluate(
        ([own, count]) => {
          for (let i = 0; i < count; i += 1)
            document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key: own, bubbles: true }));
        },
        [key, times] as const,
      );
    await walked('j', 100);
    expect(await focused()).toBe(150);
    await walked('k', 149);
    expect(await focused()).toBe(1);

    await studio.go(`#/project/${projectId}/data/${datasetId}`);
    const rows = page.getByTestId('rows-list');
    await expect(rows.getByRole('button').first()).toBeVisible();
    expect(await rows.getByRole('listitem').count()).toBeLessThanOrEqual(MOST_ROWS);
    await rows.evaluate((box) => (box.scrollTop = box.scrollHeight));
    await expect(rows.getByRole('button').last()).toContainText('5,001');
    // Counted by a trainer process, and kept.
    await expect(page.getByTestId('label-balance')).toContainText('animal', { timeout: 60_000 });
    await expect(page.getByTestId('lengths')).toContainText('Median');
    const counted = (await studio.call('jobs.list', {})).findLast(({ kind }) => kind === 'profile');
    expect(counted).toMatchObject({ state: 'done', done: sizes.rows, total: sizes.rows });
    expect(await rows.getByRole('listitem').count()).toBeLessThanOrEqual(MOST_ROWS);

    await studio.go(`#/project/${projectId}/runs/${runId}`);
    const plot = page.getByTestId('loss-chart').getByRole('img');
    await expect(plot).toHaveAttribute('aria-label', /at step 9,000\./);
    const { steps } = await studio.call('runs.history', { id: runId, points: 4000 });
    expect(steps.length).toBeLessThanOrEqual(4000);
    expect(steps.at(-1)?.step).toBe(sizes.points);
    expect(studio.complaints).toEqual([]);
  } finally {
    await studio.close();
  }
});
