/** What is done on the three screens: each is opened, then scrolled, zoomed, hovered over and searched with real input. */
import type { Studio } from '../e2e/harness.js';
import { eventChannel } from '../../electron/shell/channels.js';
import type { Filled, Sizes } from './fill.js';

export interface Scene {
  readonly name: string;
  /** Leads there; the time to the first content is taken from here. */
  readonly route: string;
  /** True in the page once there is content. */
  readonly content: string;
  readonly acts: readonly { readonly name: string; readonly act: (studio: Studio) => Promise<void> }[];
}

const moves = 60;

/** The middle of an element, once it stands there. */
async function boxOf({ page }: Studio, testid: string) {
  const box = await page.getByTestId(testid).first().boundingBox();
  if (!box) throw new Error(`There is no ${testid} to be seen.`);
  return box;
}
const nextFrame = ({ page }: Studio) => page.evaluate('new Promise((done) => requestAnimationFrame(done))');

const hover = (testid: string) => async (studio: Studio) => {
  const { x, y, width, height } = await boxOf(studio, testid);
  for (let i = 0; i <= moves; i += 1) {
    await studio.page.mouse.move(x + 60 + ((width - 90) * i) / moves, y + height / 2);
    await nextFrame(studio);
  }
};
const wheel =
  (testid: string, by: (i: number) => number, times = moves) =>
  async (studio: Studio) => {
    const { x, y, width, height } = await boxOf(studio, testid);
    await studio.page.mouse.move(x + width / 2, y + height / 2);
    for (let i = 0; i < times; i += 1) {
      await studio.page.mouse.wheel(0, by(i));
      await nextFrame(studio);
    }
  };
/** To places all over a list, as with its scroll bar. */
const jump = (testid: string) => async (studio: Studio) => {
  for (let i = 0; i < moves; i += 1) {
    await studio.page
      .getByTestId(testid)
      .evaluate((list, share) => (list.scrollTop = share * list.scrollHeight), (i * 0.37) % 1);
    await nextFrame(studio);
    await nextFrame(studio);
  }
};

/** A run tells its steps ten times a second, for so many seconds. */
const TELLING = 5;
const told = (runId: number) => async (studio: Studio) => {
  const run = await studio.call('runs.get', { id: runId });
  await studio.inMain(
    ({ BrowserWindow }, { run, channel, times }) => {
      let step = run.step;
      const timer = setInterval(() => {
        if (step++ - run.step === times) return clearInterval(timer);
        const metric = {
          step,
          loss: 0.4,
          learningRate: 0,
          gradientNorm: 1,
          tokensPerSecond: 1,
          memoryBytes: 1,
          seconds: 1,
        };
        const metrics = { runId: run.id, steps: [metric], validations: [], stages: [], log: [] };
        const window = BrowserWindow.getAllWindows()[0];
        window?.webContents.send(channel, 'metrics', metrics);
        window?.webContents.send(channel, 'run', { ...run, state: 'running', step, totalSteps: 2 * run.totalSteps });
      }, 100);
    },
    { run, channel: eventChannel, times: 10 * TELLING },
  );
  await studio.page.waitForTimeout(1000 * TELLING);
};

/** What the queue tells when a run has ended. */
const ended = (runId: number) => async (studio: Studio) => {
  const run = await studio.call('runs.get', { id: runId });
  await studio.inMain(
    ({ BrowserWindow }, { run, channel }) => {
      const window = BrowserWindow.getAllWindows()[0];
      window?.webContents.send(channel, 'run', run);
      window?.webContents.send(channel, 'changed', { kind: 'projects', projectId: null });
    },
    { run, channel: eventChannel },
  );
  await studio.page.waitForTimeout(2000);
};
/** As after runs were deleted: the window reads all of them anew. */
const readAnew = async (studio: Studio) => {
  await studio.inMain(
    ({ BrowserWindow }, channel) =>
      BrowserWindow.getAllWindows()[0]?.webContents.send(channel, 'changed', { kind: 'runs', projectId: null }),
    eventChannel,
  );
  await studio.page.waitForTimeout(2000);
};

const heading = (testid: string) => `document.querySelector('[data-testid="${testid}"]')`;

export const scenesOf = ({ projectId, datasetId, runId }: Filled, { points }: Sizes): readonly Scene[] => [
  {
    name: 'a run',
    route: `#/project/${projectId}/runs/${runId}`,
    content: `/ ${points.toLocaleString('en')}\\./.test(${heading('loss-chart')}?.querySelector('[role=img]')?.getAttribute('aria-label') ?? '')`,
    acts: [
      { name: 'hover over the curves', act: hover('loss-chart') },
      { name: 'zoom the curves', act: wheel('loss-chart', (i) => (i % 30 < 15 ? -120 : 120)) },
      { name: 'hover over the speed', act: hover('speed-chart') },
      { name: 'while it trains', act: told(runId) },
    ],
  },
  {
    name: 'runs in a list',
    route: `#/project/${projectId}/runs`,
    content: `${heading('runs-list')}?.querySelector('.name a') !== null && ${heading('runs-list')} !== null`,
    acts: [
      { name: 'scroll', act: wheel('runs-list', () => 200) },
      { name: 'jump', act: jump('runs-list') },
      { name: 'while one trains', act: told(runId) },
      { name: 'as it ends', act: ended(runId) },
      { name: 'read anew', act: readAnew },
      {
        name: 'search',
        act: async (studio) => {
          await studio.page
            .getByRole('textbox', { name: 'Search the runs' })
            .pressSequentially('LoRA r 7 seed', { delay: 60 });
        },
      },
    ],
  },
  {
    name: 'rows of data',
    route: `#/project/${projectId}/data/${datasetId}`,
    content: `${heading('rows-list')}?.querySelector('button.line') != null`,
    acts: [
      { name: 'scroll at once', act: wheel('rows-list', () => 200) },
      {
        name: 'until counted',
        act: async ({ page }) => {
          await page.getByTestId('label-balance').getByText('animal').waitFor({ timeout: 600_000 });
        },
      },
      { name: 'scroll', act: wheel('rows-list', () => 200) },
      { name: 'jump', act: jump('rows-list') },
      {
        name: 'search',
        act: async (studio) => {
          await studio.page.getByTestId('rows-search').pressSequentially('weather house', { delay: 60 });
          await studio.page.getByTestId('rows-total').filter({ hasText: ' of ' }).waitFor({ timeout: 60_000 });
        },
      },
    ],
  },
];
