/** How studies are named and their states said. */
import type { Study } from '../../../electron/contract/index.js';
import { NO_VALUE, plural, timeLeft } from '../../state/format.js';

type State = Study['state'];
type Look = 'good' | 'warn' | 'bad' | 'waiting' | 'active' | 'plain';

const states: { readonly [S in State]: { readonly words: string; readonly look: Look } } = {
  running: { words: 'Running', look: 'active' },
  paused: { words: 'Paused', look: 'waiting' },
  interrupted: { words: 'Interrupted', look: 'warn' },
  finished: { words: 'Finished', look: 'good' },
  cancelled: { words: 'Cancelled', look: 'plain' },
  failed: { words: 'Failed', look: 'bad' },
};
export const stateOf = (state: State) => states[state];

export const canPause = ({ state }: Study): boolean => state === 'running';
export const canResume = ({ state }: Study): boolean => state !== 'running' && state !== 'finished';
export const canCancel = ({ state }: Study): boolean =>
  state === 'running' || state === 'paused' || state === 'interrupted';

/** "12 of 27 runs" */
export const doneInWords = ({ progress }: Study): string => `${progress.done} of ${plural(progress.total, 'run')}`;
/** "5 to 7 min", a dash while nothing is known or nothing runs. */
export const leftInWords = ({ state, progress }: Study): string =>
  state === 'running' && progress.secondsLeft !== null ? timeLeft(progress.secondsLeft) : NO_VALUE;
