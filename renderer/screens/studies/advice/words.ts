/** How costs and outcomes are named on the screen of advice. */
import type { AdviceCandidate, AdviceCost } from '../../../../electron/contract/index.js';
import { bytes, number } from '../../../state/format.js';
import { mark, t } from '../../../language.js';

export const costTitles: { readonly [C in AdviceCost]: string } = {
  memory: mark('Peak memory'),
  disk: mark('To store'),
  latency: mark('Time of a text'),
  step: mark('Time of a step'),
  training: mark('Time of training'),
};

const three = (value: number) => number(value, value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
const seconds = (value: number) => (value < 1 ? t('{three} ms', { three: three(1000 * value) }) : `${three(value)} s`);
export const costInWords: { readonly [C in AdviceCost]: (value: number) => string } = {
  memory: bytes,
  disk: bytes,
  latency: (value) => t('{three} ms', { three: three(value) }),
  step: seconds,
  training: seconds,
};

type Outcome = AdviceCandidate['outcome'];
export const outcomes: {
  readonly [O in Outcome]: { readonly kind: 'good' | 'unknown' | 'waiting' | 'bad'; readonly words: string };
} = {
  kept: { kind: 'good', words: mark('Keeps them') },
  open: { kind: 'unknown', words: mark('Not told') },
  unmeasured: { kind: 'waiting', words: mark('Not measured') },
  broken: { kind: 'bad', words: mark('Does not') },
};
