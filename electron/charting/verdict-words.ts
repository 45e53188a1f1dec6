/** A study's verdicts by a sign and a word: none is told by its colour alone. */
import type { Report } from '../contract/index.js';
import { mark } from '../language/index.js';

type Kind = Report['verdicts'][number]['kind'];

/** `tone` is a token. */
export const verdictWords: { readonly [K in Kind]: { readonly word: string; readonly tone: string } } = {
  'for-peft': { word: mark('For PEFT'), tone: '--good' },
  'against-peft': { word: mark('Against PEFT'), tone: '--bad' },
  equal: { word: mark('Equal'), tone: '--accent' },
  undecided: { word: mark('Cannot tell yet'), tone: '--warn' },
  note: { word: mark('Note'), tone: '--text-2' },
};
