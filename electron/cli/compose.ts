/** `compose`: finished adapters made into one run. */
import { answerWordsOf } from '../contract/answer-words.js';
import { mergeCheckSchema, type MergeCheck } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { hasHead, type Objective } from '../contract/objectives.js';
import type { Arguments, Command } from './command.js';
import { methodIn } from './method.js';
import { finishJob, project, tellJob } from './session.js';
import { exitCodeOf, watchRuns } from './watch.js';

interface Part {
  readonly from: number | string;
  readonly weight: number;
}

/** "12", "12=0.5", "FOLDER", "FOLDER=0.5". @throws StudioError 'bad-input' for a weight that is none */
export function partOf(text: string): Part {
  const at = text.lastIndexOf('=');
  const [name, share] = at < 0 ? [text, '1'] : [text.slice(0, at), text.slice(at + 1)];
  const weight = Number(share);
  if (name === '' || share.trim() === '' || !Number.isFinite(weight))
    throw new StudioError(
      'bad-input',
      `"${text}": names no run with a weight.`,
      'Write a run and its weight as 12=0.5; the number alone counts as 1.',
      { argument: text },
    );
  return { from: sourceOf(name), weight };
}

const sourceOf = (name: string): number | string => (/^\d+$/.test(name) ? Number(name) : name);

const kinds = ['average', 'add', 'stack', 'fusion'] as const;

/** @throws StudioError 'bad-input' unless one kind is named */
function kindOf(input: Arguments): (typeof kinds)[number] {
  const named = kinds.filter((kind) => input.has(kind));
  const [kind] = named;
  if (named.length === 1 && kind) return kind;
  throw new StudioError(
    'bad-input',
    named.length === 0
      ? 'compose needs to know how.'
      : `compose takes one of ${named.map((one) => `--${one}`).join(' and ')}.`,
    `Choose one of ${kinds.map((one) => `--${one}`).join(', ')}.`,
  );
}

const compose: Command = {
  name: 'compose',
  arguments: 'RUN[=WEIGHT]…',
  positionals: [1, 16],
  about: 'Makes one run of the adapters of several finished ones, and measures it.',
  options: {
    average: { about: 'Mean by weights, which are brought to a sum of 1' },
    add: { about: 'Sum of LoRAs by weights; below 0 takes away: 12 15=-1' },
    stack: { about: 'One on another, the first below' },
    fusion: { about: 'Attention over them, which is trained' },
    linear: {
      about: 'With --add: A and B each added by itself, which keeps the rank and is not the sum of the updates',
    },
    head: {
      value: 'RUN',
      about:
        'Whose head (or prompt and label words) answers; default: the mean of all, of a sum the first, of a stack the last',
    },
    data: { value: 'NAME', about: "Data set to measure and to train on; default: that of the head's run" },
    top: { value: 'METHOD', about: 'With --stack: an adapter that trains on top, by its type or as JSON' },
    epochs: { value: 'N', about: 'Trains so many passes from the composition on' },
    'max-steps': { value: 'N', about: 'Trains so many steps from the composition on' },
    'learning-rate': { value: 'RATE', about: 'Of that training' },
    seed: { value: 'N', about: 'Of that training' },
    check: { about: 'Says what it would be, or why it cannot be, and makes nothing' },
  },
  details: () => [
    'RUN is the number of a finished run, or the folder of an exported adapter. All stand on one base model.',
    'The result is a run: predict, compare and export take it. It keeps its parts, so these may be deleted.',
  ],
  async run(input, session) {
    const { id: projectId } = await project(session);
    const [top, head] = [input.text('top'), input.text('head')];
    const training = {
      epochs: input.number('epochs', 0.001, 1000) ?? undefined,
      maxSteps: input.number('max-steps', 0, 10_000_000, true) ?? undefined,
      learningRate: input.number('learning-rate', 1e-9, 10) ?? undefined,
      seed: input.number('seed', 0, 4_294_967_295, true) ?? undefined,
    };
    const request = {
      projectId,
      kind: kindOf(input),
      how: input.has('linear') ? ('linear' as const) : ('cat' as const),
      parts: input.positionals.map(partOf),
      head: head === null ? null : sourceOf(head),
      top: top === null ? null : methodIn('top', top),
      data: input.text('data'),
      training,
    };
    if (input.has('check')) {
      const found = await session.handlers['compositions.check'](request);
      if (!found.possible) throw new StudioError('bad-input', found.reason ?? 'It cannot be composed.', found.hint);
      session.out.event(
        { event: 'composition', ...found },
        `${found.methodName}, ${found.setting}: ${found.parameters.toLocaleString('en')} numbers, for ${found.datasetName}${found.trains ? '; it trains first' : ''}.`,
      );
      return 0;
    }
    const [ended] = await watchRuns(session, async () => [await session.handlers['compositions.start'](request)]);
    return ended === undefined ? 1 : exitCodeOf(ended);
  },
};

const mergeCheck: Command = {
  name: 'merge-check',
  arguments: 'RUN',
  positionals: [1, 1],
  about:
    "Merges a run into its base's weights and takes it out again, in a folder that goes, and compares the outputs.",
  options: {},
  async run(input, session) {
    const id = input.id(0);
    const job = await finishJob(session, () => session.handlers['runs.checkMerge']({ id }), tellJob(session));
    const found = mergeCheckSchema.parse(job.result);
    const { plan } = await session.handlers['runs.get']({ id });
    session.out.event({ event: 'merge-check', run: id, ...found }, inWords(found, plan.objective));
    return 0;
  },
};

function inWords({ rows, merged, unmerged, time, reason }: MergeCheck, objective: Objective): string {
  const { one, difference } = answerWordsOf(objective);
  const labels = (same: boolean) => `${same ? '' : 'NOT '}every ${one} the same`;
  return [
    `Merged: on ${rows} rows the largest difference of ${difference} from the adapter's is ${merged.largestDifference.toExponential(1)}, ${labels(merged.sameLabels)}.`,
    unmerged
      ? `Taken out again: ${unmerged.tensors} tensors, the largest difference of a weight from the base's own is ${unmerged.weightDifference.toExponential(1)} (the largest weight is ${unmerged.largestWeight.toPrecision(2)}), of ${difference} ${unmerged.largestDifference.toExponential(1)}, ${labels(unmerged.sameLabels)}.`
      : `It cannot be taken out again: ${reason}`,
    `${hasHead(objective) ? 'A row' : 'Reading a row'} takes ${time.first.toFixed(1)} ms with the adapter, ${time.second.toFixed(1)} ms merged${time.decision === 'undecided' ? ', no difference that the turns could tell' : ''} (${time.turns} turns).`,
  ].join('\n');
}

export const composeCommands: readonly Command[] = [compose, mergeCheck];
