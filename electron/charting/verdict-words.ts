/** A study's verdicts by a sign and a word: none is told by its colour alone. */
import type { Report } from '../contract/index.js';

type Kind = Report['verdicts'][number]['kind'];

/** `tone` is a token. */
export const verdictWords: { readonly [K in Kind]: { readonly word: string; readonly tone: string } } = {
  'for-peft': { word: 'For PEFT', tone: '--good' },
  'against-peft': { word: 'Against PEFT', tone: '--bad' },
  equal: { word: 'Equal', tone: '--accent' },
  undecided: { word: 'Cannot tell yet', tone: '--warn' },
  note: { word: 'Note', tone: '--text-2' },
};
