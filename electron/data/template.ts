/** A verbalizer's prompt: its template, read and checked, and what is left out of it filled in. */
import { StudioError } from '../contract/errors.js';
import type { FullVerbalizer, VerbalizerPlan } from '../contract/verbalizer.js';

export type Place = 'text' | 'pair' | 'mask' | 'prompt';
/** Literal text, or a place that is filled. */
export type Piece = { readonly literal: string } | { readonly place: Place };

const refuse = (message: string, hint: string) =>
  new StudioError('bad-input', `verbalizer.template: ${message}`, hint, { path: 'verbalizer.template' });

/** Pieces in their order. @throws StudioError `bad-input` where a place is missing, doubled, or {mask} not at a decoder's end */
export function parseTemplate(template: string, decoder: boolean): readonly Piece[] {
  const pieces = template
    .split(/(\{(?:text|pair|mask|prompt)\})/)
    .filter((part) => part !== '')
    .map((part): Piece => {
      const place = /^\{(text|pair|mask|prompt)\}$/.exec(part)?.[1];
      return place === undefined ? { literal: part } : { place: place as Place };
    });
  const count = (place: Place) => pieces.filter((piece) => 'place' in piece && piece.place === place).length;
  if (count('text') !== 1)
    throw refuse(`it has {text} ${count('text')} times.`, 'Put {text} once where the row’s text belongs.');
  if (count('mask') !== 1)
    throw refuse(`it has {mask} ${count('mask')} times.`, 'Put {mask} once where the label’s word belongs.');
  for (const place of ['pair', 'prompt'] as const)
    if (count(place) > 1) throw refuse(`it has {${place}} ${count(place)} times.`, `Put {${place}} once at most.`);
  const last = pieces.at(-1);
  if (decoder && !(last && 'place' in last && last.place === 'mask'))
    throw refuse(
      'a decoder sees only what comes before, so its label’s word stands last.',
      'End the template with {mask}, as in "{text}\\nLabel: {mask}".',
    );
  return pieces;
}

export interface TemplateFacts {
  readonly labels: readonly string[];
  /** Rows have a second text. */
  readonly paired: boolean;
  /** Tokens see only those before them. */
  readonly decoder: boolean;
  /** A method finds a wording for it. */
  readonly searched: boolean;
}

/** The default prompt. */
function usualTemplate({ paired, decoder }: TemplateFacts): string {
  if (decoder) return paired ? '{text}\n{pair}\nLabel: {mask}' : '{text}\nLabel: {mask}';
  return paired ? '{text} {pair} It was {mask}.' : '{text} It was {mask}.';
}

/**
 * A plan's verbalizer with template and words filled in for a data set and a kind of model.
 * @throws StudioError `bad-input` for a template that does not fit the rows, a word for a label that there is none of, two labels with one word
 */
export function completeVerbalizer(plan: VerbalizerPlan, facts: TemplateFacts): FullVerbalizer {
  const { labels, paired, decoder, searched } = facts;
  const given = plan.template ?? usualTemplate(facts);
  const has = (place: Place) => given.includes(`{${place}}`);
  parseTemplate(given, decoder);
  if (has('pair') !== paired)
    throw refuse(
      paired
        ? 'the rows have a second text, and it has no {pair}.'
        : 'it has {pair}, and the rows have no second text.',
      paired ? 'Put {pair} where the second text belongs.' : 'Leave {pair} out.',
    );
  if (has('prompt') && !searched)
    throw refuse('{prompt} is for the method prompt-search.', 'Write the wording itself in its place.');
  for (const label of Object.keys(plan.words))
    if (!labels.includes(label))
      throw new StudioError(
        'bad-input',
        `verbalizer.words: the data set has no label "${label}".`,
        `Its labels: ${labels.join(', ')}.`,
        { path: `verbalizer.words.${label}` },
      );
  const words = Object.fromEntries(labels.map((label) => [label, plan.words[label] ?? wordOf(label)]));
  const owner = new Map<string, string>();
  for (const [label, word] of Object.entries(words)) {
    const other = owner.get(word);
    if (other !== undefined)
      throw new StudioError(
        'bad-input',
        `verbalizer.words: "${other}" and "${label}" both have the word "${word}".`,
        'Give each label a word of its own.',
        { path: 'verbalizer.words' },
      );
    owner.set(word, label);
  }
  return { template: searched && !has('prompt') ? `{prompt} ${given}` : given, words, score: plan.score };
}

const wordOf = (label: string) => label.replaceAll(/[_\s]+/g, ' ').trim() || label;
