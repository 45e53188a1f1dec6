/** `advise`: what to ship under limits, by the project's finished studies. */
import { shownMeasure } from '../contract/measures.js';
import { adviceCostSchema, adviceRequestSchema, type Advice, type AdviceCandidate } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import type { Arguments, Command } from './command.js';
import { megabytes, table } from './output.js';
import { project } from './session.js';

const most = 1e9;

export const advise: Command = {
  name: 'advise',
  arguments: '',
  positionals: [0, 0],
  about: "Says what to ship under limits, by the project's finished studies. Trains nothing.",
  options: {
    data: { value: 'NAME', about: "Data set; default: the newest study's" },
    model: { value: 'NAME', about: "Base model; default: the newest study's" },
    examples: { value: 'N|all', about: 'Examples a class that the methods learned from; default: the most' },
    'max-memory': { value: 'MB', about: 'Peak memory of training' },
    'max-disk': { value: 'MB', about: 'To store the trained files of all tasks' },
    tasks: { value: 'N', about: 'Tasks whose files are stored; default 1' },
    'with-base': { about: 'The base is stored too; without it, it is there anyway' },
    'max-latency': { value: 'MS', about: 'Time of a text' },
    'max-step': { value: 'SECONDS', about: 'Time of a training step' },
    'max-training': { value: 'SECONDS', about: 'Time of a training' },
    'min-score': { value: 'SCORE', about: 'Least test score, shares in percent; of perplexity the most' },
    'max-loss': { value: 'POINTS', about: 'Below full fine-tuning at most; of perplexity in percent' },
    'cheapest-by': {
      value: 'COST',
      about: 'What is cheap among methods that are not told apart; default disk',
      choices: adviceCostSchema.options,
    },
  },
  details: () => [
    'A method keeps a limit of quality where the whole interval does. Of those that keep all limits the cheapest is taken that paired test',
    'rows do not tell apart from the best of them.',
  ],
  async run(input, { handlers, out, ...session }) {
    const { id: projectId } = await project({ handlers, out, ...session });
    const limits = {
      memory: scaled(input, 'max-memory', 1e6),
      disk: scaled(input, 'max-disk', 1e6),
      latency: scaled(input, 'max-latency', 1),
      step: scaled(input, 'max-step', 1),
      training: scaled(input, 'max-training', 1),
      score: input.number('min-score', 0, most),
      loss: input.number('max-loss', 0, 100),
    };
    const { places } = await handlers['advice.ask']({ projectId, ...adviceRequestSchema.parse({}) });
    const place = placeFor(input, places);
    const advice = await handlers['advice.ask']({
      projectId,
      place: place?.key ?? null,
      limits,
      tasks: input.number('tasks', 1, 100_000, true) ?? 1,
      withBase: input.has('with-base'),
      cheapestBy: adviceCostSchema.parse(input.text('cheapest-by') ?? 'disk'),
    });
    out.event({ event: 'advice', ...advice, limits }, describe(advice));
    return 0;
  },
};

/** A limit in the unit of the studio. */
function scaled(input: Arguments, option: string, factor: number): number | null {
  const value = input.number(option, 0, most);
  if (value === 0)
    throw new StudioError('bad-input', `--${option} 0: must be above 0.`, 'Leave it out for no limit.', { option });
  return value === null ? null : value * factor;
}

function placeFor(input: Arguments, places: Advice['places']): Advice['places'][number] | null {
  const [data, model, examples] = [input.text('data'), input.text('model'), input.text('examples')];
  const found = places.find(
    (place) =>
      (data === null || place.data === data) &&
      (model === null || place.model === model) &&
      (examples === null || String(place.examplesPerClass ?? 'all') === examples),
  );
  if (found || (data === null && model === null && examples === null)) return found ?? null;
  throw new StudioError(
    'not-found',
    'No finished study holds methods against each other there.',
    places.length > 0
      ? `Studies are of: ${places.map(({ label }) => label).join('; ')}.`
      : 'Run a study of quality, cost or little data.',
  );
}

const words: { readonly [O in AdviceCandidate['outcome']]: string } = {
  kept: 'keeps them',
  open: 'not told',
  unmeasured: 'not measured',
  broken: 'does not',
};

function describe(advice: Advice): string {
  const { place, places, measure, verdict, reasons, missing, notes, candidates, studies, recommended } = advice;
  const lines = (all: readonly string[]) => all.map((line) => `  ${line}`);
  const others = places.filter(({ key }) => key !== place?.key);
  const score = (value: number) => (measure === null ? String(value) : shownMeasure(measure, value));
  const cell = (fact: { value: number } | null, say: (value: number) => string) => (fact ? say(fact.value) : '–');
  return [
    ...(place ? [place.label] : []),
    verdict,
    ...lines(reasons),
    ...(candidates.length > 0
      ? [
          '',
          table(
            ['method', 'limits', 'score', 'memory', 'to store', 'ms a text', 's a step', 'studies'],
            candidates.map(({ label, outcome, score: told, costs }) => [
              label === recommended ? `${label} *` : label,
              words[outcome],
              score(told.mean) +
                (told.interval ? ` (${score(told.interval.low)} to ${score(told.interval.high)})` : ''),
              cell(costs.memory, megabytes),
              cell(costs.disk, megabytes),
              cell(costs.latency, (value) => value.toPrecision(3)),
              cell(costs.step, (value) => value.toPrecision(3)),
              [...new Set([told.study, ...Object.values(costs).flatMap((fact) => fact?.study ?? [])])].join(' '),
            ]),
          ),
          // Where nothing is advised, the reasons have said so of each.
          ...(recommended === null
            ? []
            : candidates.flatMap(({ label, limits }) =>
                limits.flatMap(({ outcome, text }) => (outcome === 'kept' ? [] : [`  ${label}: ${text}`])),
              )),
        ]
      : []),
    ...(missing.length > 0 ? ['', ...lines(missing.map(({ text }) => text))] : []),
    ...(notes.length > 0 ? ['', 'Notes', ...lines(notes)] : []),
    ...(studies.length > 0 ? ['', 'Evidence', ...lines(studies.map(({ id, name }) => `study ${id}: ${name}`))] : []),
    ...(others.length > 0 ? ['', `Other places: ${others.map(({ label }) => label).join('; ')}`] : []),
  ].join('\n');
}
