/** How costs and outcomes are named on the screen of advice. */
import type { AdviceCandidate, AdviceCost } from '../../../../electron/contract/index.js';
import { bytes, number } from '../../../state/format.js';

export const costTitles: { readonly [C in AdviceCost]: string } = {
  memory: 'Peak memory',
  disk: 'To store',
  latency: 'Time of a text',
  step: 'Time of a step',
  training: 'Time of training',
};

const three = (value: number) => number(value, value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
const seconds = (value: number) => (value < 1 ? `${three(1000 * value)} ms` : `${three(value)} s`);
export const costInWords: { readonly [C in AdviceCost]: (value: number) => string } = {
  memory: bytes,
  disk: bytes,
  latency: (value) => `${three(value)} ms`,
  step: seconds,
  training: seconds,
};

type Outcome = AdviceCandidate['outcome'];
export const outcomes: {
  readonly [O in Outcome]: { readonly kind: 'good' | 'unknown' | 'waiting' | 'bad'; readonly words: string };
} = {
  kept: { kind: 'good', words: 'Keeps them' },
  open: { kind: 'unknown', words: 'Not told' },
  unmeasured: { kind: 'waiting', words: 'Not measured' },
  broken: { kind: 'bad', words: 'Does not' },
};
