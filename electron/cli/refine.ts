/** `refine`: a further round on a finished run. */
import type { Gain } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { refineBySchema, type MethodOptions } from '../contract/plan.js';
import type { Command } from './command.js';
import { methodIn } from './method.js';
import { exitCodeOf, watchRuns } from './watch.js';

const ways = {
  merge: "run %'s result lies in the base's weights, and the method trains on these",
  continue: "it goes on from run %'s values",
  stack: 'run % stays frozen below',
} as const;

export const refine: Command = {
  name: 'refine',
  arguments: 'RUN',
  positionals: [1, 1],
  about: 'Trains a further round on a finished run, by another method or over another subset of parameters.',
  options: {
    method: { value: 'METHOD', about: 'What trains now, by its type or as JSON', required: true },
    data: { value: 'NAME', about: "Data set to train on; default: the run's own" },
    by: {
      value: 'WAY',
      about: "How the run's result stays; default: the first that is possible",
      choices: refineBySchema.options,
    },
    epochs: { value: 'N', about: 'Passes over the data; default: as in the run' },
    'max-steps': { value: 'N', about: 'Steps; overrides epochs' },
    'learning-rate': { value: 'RATE', about: "Default: the method's own" },
    seed: { value: 'N', about: 'Default: as in the run' },
    check: { about: 'Says how it would go on, or why it cannot, and trains nothing' },
  },
  details: () => [
    "The round stands on the base model with the run's result in place: merged, or where its method does not merge, going on from its values",
    'by the same method, or frozen below another adapter. All else is as in the run; PLAN.json with "refines": RUN says more.',
  ],
  async run(input, session) {
    const { handlers, out } = session;
    const id = input.id(0);
    const former = await handlers['runs.get']({ id });
    const method: MethodOptions = methodIn('method', input.text('method') ?? '');
    const by = refineBySchema.nullable().parse(input.text('by'));
    const name = input.text('data') ?? former.datasetName;
    const set = (await handlers['datasets.list']({ projectId: former.projectId })).find((one) => one.name === name);
    if (!set)
      throw new StudioError('not-found', `data: the project has no data set "${name}".`, 'See peft-studio data list.');
    if (input.has('check')) {
      const verbalizer = former.plan.verbalizer !== null && name === former.datasetName;
      const found = await handlers['refinements.check']({ id, method, datasetId: set.id, by, verbalizer });
      if (found.how === null) throw new StudioError('bad-input', found.reason ?? 'It cannot be refined.', found.hint);
      out.event(
        { event: 'refinement', run: id, how: found.how },
        `${found.how}: ${ways[found.how].replace('%', String(id))}.`,
      );
      return 0;
    }
    const [maxSteps, epochs] = [input.number('max-steps', 0, 10_000_000, true), input.number('epochs', 0.001, 1000)];
    const { composition: _composition, refineBy: _by, objective, verbalizer, ...plan } = former.plan;
    const rate = (await handlers['methods.list']({})).find(({ type }) => type === method.type)?.learningRate;
    const { training } = former.plan;
    const [ended] = await watchRuns(session, () =>
      handlers['runs.start']({
        projectId: former.projectId,
        plans: [
          {
            ...plan,
            // On other data what is learned follows from these.
            ...(name === former.datasetName ? { objective, verbalizer } : { verbalizer: null }),
            data: name,
            method,
            refines: id,
            ...(by === null ? {} : { refineBy: by }),
            training: {
              ...training,
              ...(epochs === null ? {} : { epochs, maxSteps: null }),
              ...(maxSteps === null ? {} : { maxSteps }),
              learningRate: input.number('learning-rate', 1e-9, 10) ?? rate ?? training.learningRate,
              seed: input.number('seed', 0, 4_294_967_295, true) ?? training.seed,
            },
          },
        ],
        initFolder: null,
      }),
    );
    if (ended?.state === 'finished') {
      const round = (await handlers['refinements.lineage']({ id: ended.id })).find((one) => one.id === ended.id);
      out.event({ event: 'round', ...round }, round?.test ? told(round.test, id) : '');
    }
    return ended === undefined ? 1 : exitCodeOf(ended);
  },
};

function told({ mean, interval, unit, measure }: Gain, id: number): string {
  const ends = interval ? ` (95 % ${interval.low.toFixed(1)} to ${interval.high.toFixed(1)})` : '';
  return `Test ${measure} against run ${id}: ${mean < 0 ? '' : '+'}${mean.toFixed(1)} ${unit}${ends}.`;
}
