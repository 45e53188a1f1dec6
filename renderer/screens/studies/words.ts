/** How studies are named and their states said. */
import type { Study } from '../../../electron/contract/index.js';
import { NO_VALUE, timeLeft } from '../../state/format.js';
import { mark, n, t } from '../../language.js';

type State = Study['state'];
type Look = 'good' | 'warn' | 'bad' | 'waiting' | 'active' | 'plain';

const states: { readonly [S in State]: { readonly words: string; readonly look: Look } } = {
  running: { words: mark('Running'), look: 'active' },
  paused: { words: mark('Paused'), look: 'waiting' },
  interrupted: { words: mark('Interrupted'), look: 'warn' },
  finished: { words: mark('Finished'), look: 'good' },
  cancelled: { words: mark('Cancelled'), look: 'plain' },
  failed: { words: mark('Failed'), look: 'bad' },
};
export const stateOf = (state: State) => ({ ...states[state], words: t(states[state].words) });

export const canPause = ({ state }: Study): boolean => state === 'running';
export const canResume = ({ state }: Study): boolean => state !== 'running' && state !== 'finished';
export const canCancel = ({ state }: Study): boolean =>
  state === 'running' || state === 'paused' || state === 'interrupted';

/** "12 of 27 runs" */
export const doneInWords = ({ progress }: Study): string =>
  t('{done} of {total}', { done: progress.done, total: n(progress.total, '{count} run', '{count} runs') });
/** "5 to 7 min", a dash while nothing is known or nothing runs. */
export const leftInWords = ({ state, progress }: Study): string =>
  state === 'running' && progress.secondsLeft !== null ? timeLeft(progress.secondsLeft) : NO_VALUE;
