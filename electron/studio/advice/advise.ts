/** What to ship: of the methods that keep the limits the cheapest that test rows do not tell apart from the best. */
import type { Advice, AdviceCandidate, AdviceRequest } from '../../contract/entities.js';
import { measureTable } from '../../contract/measures.js';
import type { JudgedGap } from '../../evaluation/index.js';
import type { Candidate, Place } from './evidence.js';
import { costWords, heldAgainst, missingOf, worst } from './limits.js';

type Held = Candidate & Pick<AdviceCandidate, 'limits' | 'outcome'>;
type Beside = NonNullable<AdviceCandidate['beside']>;

/** How far others are from the best, paired by seed and test row; null for one without such a pair. */
export type Compare = (best: Candidate, others: readonly Candidate[]) => Promise<readonly (JudgedGap | null)[]>;

type Answer = Pick<Advice, 'candidates' | 'recommended' | 'verdict' | 'reasons' | 'missing' | 'notes'>;

/** @param candidates of one place, as their reports tell them */
export async function advise(
  place: Pick<Place, 'measure'>,
  candidates: readonly Candidate[],
  { limits, cheapestBy }: Pick<AdviceRequest, 'limits' | 'cheapestBy'>,
  compare: Compare,
): Promise<Answer> {
  const { measure } = place;
  const all = candidates.map((candidate): Held => {
    const own = heldAgainst(candidate, limits, measure);
    return { ...candidate, limits: own, outcome: worst(own.map(({ outcome }) => outcome)) };
  });
  const better = measureTable[measure].better === 'higher' ? 1 : -1;
  const fits = all.filter(({ outcome }) => outcome === 'kept').sort((a, b) => better * (b.score.mean - a.score.mean));
  const [best, ...others] = fits;
  const beside = new Map<Held, Beside>();
  const gaps = best ? await compare(best, others) : [];
  if (best)
    beside.set(best, { kind: 'best', text: `the best ${measureTable[measure].name} of those that keep the limits` });
  others.forEach((other, index) => beside.set(other, besideBest(gaps[index] ?? null)));
  const together = fits.filter((one) => ['best', 'together'].includes(beside.get(one)?.kind ?? ''));
  const cost = ({ costs }: Candidate) => costs[cheapestBy]?.value ?? Infinity;
  // The best comes first, so it is taken where nothing is cheaper.
  const chosen = together.reduce<Held | null>((least, one) => (least && cost(least) <= cost(one) ? least : one), null);
  const missing = missingOf(all);
  const told = all.map(({ mergedLatency: _merged, elsewhere: _elsewhere, name: _name, ...one }, index) => {
    const held = all[index];
    return { ...one, beside: (held && beside.get(held)) ?? null };
  });
  return {
    candidates: told,
    recommended: chosen?.label ?? null,
    ...(chosen && best
      ? wordsFor(chosen, best, fits, together, beside, cheapestBy)
      : { verdict: nothingFits(all), reasons: whyNot(all, missing) }),
    missing,
    notes: notesOn(all, fits),
  };
}

function besideBest(gap: JudgedGap | null): Beside {
  if (gap === null)
    return { kind: 'unpaired', text: 'has no runs of the same seeds and test rows to be held against the best' };
  return { kind: gap.decision === 'worse' ? 'apart' : 'together', text: gap.text };
}

const list = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
const labels = (all: readonly Candidate[]) => list(all.map(({ name }) => name));

function wordsFor(
  chosen: Held,
  best: Held,
  fits: readonly Held[],
  together: readonly Held[],
  beside: ReadonlyMap<Held, Beside>,
  cheapestBy: AdviceRequest['cheapestBy'],
): Pick<Answer, 'verdict' | 'reasons'> {
  const { name, say } = costWords[cheapestBy];
  const fact = chosen.costs[cheapestBy];
  const limited = chosen.limits.length > 0;
  const of = (kind: Beside['kind']) => fits.filter((one) => beside.get(one)?.kind === kind);
  const reasons = [
    ...(fits.length === 1
      ? [limited ? 'It alone is shown to keep the limits.' : 'It is all that was measured here.']
      : together.length === 1
        ? [`It has the best test score of those that ${limited ? 'keep the limits' : 'were measured'}.`]
        : [
            `The test rows do not tell ${labels(together)} apart from the best of them, ${best.name}: that is not to say that they are equal.`,
            fact === null
              ? `Which of these is the cheapest is not known: ${name} was not measured.`
              : `It is the cheapest of these that was measured: ${name} ${say(fact.value)}.`,
          ]),
    ...(chosen === best ? [] : [`${chosen.name} is ${beside.get(chosen)?.text ?? ''}.`]),
    ...of('apart').map((one) => `${one.name} keeps the limits too, and is ${beside.get(one)?.text ?? ''}.`),
    ...of('unpaired').map((one) => `${one.name} keeps the limits too, but ${beside.get(one)?.text ?? ''}.`),
    ...(chosen.difference && best.type !== 'full'
      ? [`Its study found: ${chosen.name} is ${chosen.difference.text}.`]
      : []),
  ];
  return { verdict: `Ship ${chosen.label}.`, reasons };
}

function nothingFits(all: readonly Held[]): string {
  if (all.length === 0) return 'No method was measured here.';
  if (all.some(({ outcome }) => outcome === 'unmeasured'))
    return 'Nothing is shown to keep all limits: not all of them were measured.';
  return all.some(({ outcome }) => outcome === 'open')
    ? 'Nothing is shown to keep the limits; the intervals leave some open.'
    : 'Nothing that was measured keeps the limits.';
}

/** Of each method the limits that it is not shown to keep; those that nothing was measured for are told once, elsewhere. */
function whyNot(all: readonly Held[], missing: Answer['missing']): string[] {
  return all.flatMap(({ name, limits }) => {
    const said = limits.flatMap(({ limit, outcome, text }) =>
      outcome === 'kept' || missing.some((one) => one.limit === limit) ? [] : [text],
    );
    return said.length > 0 ? [`${name}: ${said.join('; ')}.`] : [];
  });
}

function notesOn(all: readonly Held[], fits: readonly Held[]): string[] {
  const elsewhere = all.filter((one) => one.elsewhere.length > 0);
  const costs = [...new Set(elsewhere.flatMap((one) => one.elsewhere))].map((cost) => costWords[cost].name);
  return [
    ...(costs.length > 0
      ? [
          `Measured with other training settings or another number of examples than the scores: ${list(costs)} of ${labels(elsewhere)}.`,
        ]
      : []),
    ...(fits.length > 2
      ? [
          'The best was picked by the same test rows that it is held against others by, so it looks a little better than it is.',
        ]
      : []),
    ...(all.some(({ costs: { latency } }) => latency !== null)
      ? ['Times of a text were measured in one sitting each, beside the base, and move with what else the machine did.']
      : []),
    ...(all.some(({ score }) => score.seeds < 2) ? ['Scores of one seed cover other test rows, not other seeds.'] : []),
  ];
}
