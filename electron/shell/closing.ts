/** Closing the window loses nothing: what happens to active runs is the user's choice. */
import { dialog, type BrowserWindow } from 'electron';
import type { Handlers } from '../contract/calls.js';
import type { Run } from '../contract/entities.js';
import { n, t } from './language.js';

const activeStates: readonly Run['state'][] = ['queued', 'preparing', 'running'];
export const isActive = (run: Run): boolean => activeStates.includes(run.state);

export async function activeRuns(handlers: Handlers): Promise<Run[]> {
  return (await handlers['runs.list']({ projectId: null })).filter(isActive);
}

export type Closing = 'quit' | 'background' | 'stay';

/** Decides by setting or by asking what closing the window means now; pauses the runs where that was chosen. */
export async function decideClosing(window: BrowserWindow, handlers: Handlers): Promise<Closing> {
  const runs = await activeRuns(handlers);
  if (runs.length === 0) return 'quit';
  const { onClose } = await handlers['settings.get']({});
  const choice = onClose === 'ask' ? await ask(window, runs.length) : onClose;
  if (choice === 'stay') return 'stay';
  if (choice === 'continue') return 'background';
  await pauseRuns(handlers);
  return 'quit';
}

/** Asks every run under way to save and stop. Queued runs simply wait for the next start. */
export async function pauseRuns(handlers: Handlers): Promise<void> {
  const runs = (await activeRuns(handlers)).filter((run) => run.state !== 'queued');
  // A run that ended meanwhile cannot be paused, and need not be.
  await Promise.allSettled(runs.map((run) => handlers['runs.pause']({ id: run.id })));
}

async function ask(window: BrowserWindow, count: number): Promise<'continue' | 'pause' | 'stay'> {
  const choices = ['continue', 'pause', 'stay'] as const;
  const { response } = await dialog.showMessageBox(window, {
    type: 'question',
    title: 'PEFT Studio',
    message: n(count, 'A run is not finished.', '{count} runs are not finished.'),
    detail: t(
      'They can go on in the background until they end, or pause now and be resumed from where they stopped. The settings keep an answer for good.',
    ),
    buttons: [t('Go on in the background'), t('Pause and quit'), t('Stay')],
    defaultId: 0,
    cancelId: 2,
    noLink: true,
  });
  return choices[response] ?? 'stay';
}
