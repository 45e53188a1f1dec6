/** Follows runs from their start to their end and tells each step once, in order. */
import type { EventData } from '../contract/calls.js';
import {
  measuresOf,
  type Run,
  type RunResult,
  type Scores,
  type StageMetric,
  type StepMetric,
  type ValidationMetric,
} from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import type { Measure } from '../contract/measures.js';
import { mainInWords, scoresInWords } from '../contract/score-words.js';
import { duration, megabytes, percent, whole } from './output.js';
import { follow, tellDeviceTest, type Session } from './session.js';

const ended: ReadonlySet<Run['state']> = new Set(['paused', 'interrupted', 'finished', 'cancelled', 'failed']);

/**
 * Starts runs and waits for the end of all; each tells its start, steps, validations and result. Ctrl-C pauses what is under way: it can be resumed.
 * @returns the runs as they ended; failures are the caller's to tell
 */
export async function watchRuns(session: Session, start: () => Promise<readonly Run[]>): Promise<Run[]> {
  const { handlers } = session;
  const begin = async () => {
    const runs = new Map((await start()).map((run) => [run.id, new RunTeller(session, run)]));
    // A run on its own is named at once; of several, each when its turn comes.
    if (runs.size === 1) for (const run of runs.values()) run.begin();
    return runs;
  };
  return follow(
    session,
    begin,
    (event, runs) => {
      if (event.event === 'metrics') runs.get(event.data.runId)?.metrics(event.data);
      if (event.event === 'run') runs.get(event.data.id)?.state(event.data);
      tellDeviceTest(session, event);
      const all = [...runs.values()];
      return all.every((run) => run.over) ? all.map(({ run }) => run) : undefined;
    },
    (runs) => {
      // The waiting ones first, or the queue would take up the next.
      const open = [...runs.values()]
        .filter((run) => !run.over)
        .sort((a, b) => Number(b.run.state === 'queued') - Number(a.run.state === 'queued'));
      // A run that ended meanwhile cannot be paused, and need not be.
      void open.reduce(
        (before, { run }) =>
          before
            .then(() => handlers['runs.pause']({ id: run.id }))
            .then(
              () => undefined,
              () => undefined,
            ),
        Promise.resolve(),
      );
    },
  );
}

type ToldScores = { readonly loss: number } & { readonly [M in Measure]?: number | null };

/** The scores themselves, without their intervals. */
const scoresOf = (scores: Scores): ToldScores => ({
  ...Object.fromEntries(measuresOf(scores).map((measure) => [measure, scores[measure] ?? null])),
  loss: scores.loss,
});

type Told = Pick<EventData<'metrics'>, 'steps' | 'validations' | 'stages'>;

/** Turns what the studio tells of one run into the command's events. */
export class RunTeller {
  over = false;
  #begun = false;
  #lastStep = 0;
  #lastValidation = -1;
  readonly #stages = new Set<string>();

  constructor(
    private readonly session: Pick<Session, 'out'>,
    public run: Run,
  ) {}

  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    const { id, methodName, setting, seed, modelName, datasetName } = this.run;
    this.session.out.event(
      { event: 'start', run: id },
      `Run ${id}: ${methodName}${setting ? `, ${setting}` : ''}, seed ${seed}, ${modelName} on ${datasetName}`,
    );
  }

  /** Steps, validations, beginnings and ends of stages in the order in which they came. */
  metrics({ steps, validations, stages }: Told): void {
    this.begin();
    const told: { readonly at: number; readonly tell: () => void }[] = [
      ...steps.map((metric) => ({ at: metric.step, tell: () => this.#step(metric) })),
      ...validations.map((metric) => ({ at: metric.step + 0.1, tell: () => this.#validation(metric) })),
      ...stages.map((metric) => ({
        at: metric.next === null ? metric.firstStep - 0.1 : metric.lastStep + 0.2,
        tell: () => this.#stage(metric),
      })),
    ];
    for (const { tell } of told.sort((a, b) => a.at - b.at)) tell();
  }

  state(run: Run): void {
    this.run = run;
    if (run.state === 'queued' || this.over) return;
    this.over = ended.has(run.state);
    // What was paused before its turn came was never told of.
    if (!this.over || run.state === 'finished') this.begin();
    if (run.state === 'preparing') this.session.out.progress(`run ${run.id}: reading model and data`);
    if (run.state === 'finished' && run.result) tellResult(this.session.out, run, run.result);
    if (run.state === 'paused')
      this.session.out.event(
        { event: 'paused', run: run.id, step: run.step },
        `Run ${run.id} is saved at step ${run.step}. Go on with: peft-studio resume ${run.id}`,
      );
  }

  #step({ step, loss, learningRate, tokensPerSecond }: StepMetric): void {
    // A resumed trainer tells again what the last checkpoint held.
    if (step <= this.#lastStep) return;
    this.#lastStep = step;
    const { out } = this.session;
    out.event({ event: 'step', step, loss, learningRate, tokensPerSecond }, null);
    const left = this.run.secondsLeft === null ? '' : `, ${duration(this.run.secondsLeft)} left`;
    out.progress(
      `run ${this.run.id}: step ${step}/${this.run.totalSteps || '?'}, loss ${loss === null ? 'not a number' : loss.toFixed(4)}, ${whole(tokensPerSecond)} tokens/s${left}`,
    );
  }

  #stage({ scores, ...metric }: StageMetric): void {
    const { stage, stages, trains, firstStep, lastStep, learningRate, trainableParameters, helped, next } = metric;
    const key = `${stage} ${next === null ? 'begins' : 'ends'}`;
    if (this.#stages.has(key)) return;
    this.#stages.add(key);
    const common = { event: 'stage', stage, stages, trains, firstStep, lastStep, learningRate, trainableParameters };
    if (next === null) {
      this.session.out.event(
        { ...common, state: 'begins' },
        `  stage ${stage} of ${stages}, steps ${firstStep} to ${lastStep}: ${trains}; ${whole(trainableParameters)} parameters`,
      );
      return;
    }
    const measured = scores && scoresOf(scores);
    const score = scores ? `, validation ${mainInWords(scores)}` : '';
    const help = helped === null ? '' : helped ? ', it helped' : ', it did not help';
    const then = { next: '', end: '', stop: '; training stops', back: '; the best parameters go on' }[next];
    this.session.out.event(
      { ...common, state: 'ends', validation: measured, helped, next },
      `  stage ${stage} of ${stages} ended${score}${help}${then}`,
    );
  }

  #validation(metric: ValidationMetric): void {
    if (metric.step <= this.#lastValidation) return;
    this.#lastValidation = metric.step;
    const { step, best, general } = metric;
    const wording = metric.search?.wording;
    // Answers are generated for the test only.
    const { exactMatch, ...others } = scoresOf(metric);
    const scores = exactMatch === null ? others : { ...others, exactMatch };
    this.session.out.event(
      {
        event: 'validation',
        step,
        ...scores,
        best,
        ...(general ? { general } : {}),
        ...(wording === undefined ? {} : { wording }),
      },
      `  step ${step}: validation ${scoresInWords(metric, { ends: false })}${best ? ', best so far' : ''}${wording === undefined ? '' : `\n    ${wording}`}`,
    );
  }
}

/** Exit code of a run that ended: 0 when finished, 130 when paused by Ctrl-C. @throws StudioError of a run that failed or was cut off */
export function exitCodeOf(run: Run): number {
  if (run.state === 'finished') return 0;
  if (run.state === 'paused') return 130;
  throw failureOf(run);
}

/** What a run that did not finish is reported as. */
export function failureOf({ id, state, step, device, problem }: Run): StudioError {
  const goOn = `Go on with: peft-studio resume ${id}${state === 'interrupted' && device !== null && device !== 'cpu' ? `, on the CPU with: peft-studio resume ${id} --device cpu` : ''}`;
  if (problem)
    return new StudioError(
      problem.code,
      problem.message,
      state === 'interrupted' ? [problem.hint, goOn].filter(Boolean).join(' ') : problem.hint,
      { ...problem.context, run: id },
    );
  return state === 'cancelled'
    ? new StudioError('cancelled', `Run ${id} was cancelled at step ${step}.`, goOn, { run: id })
    : new StudioError('trainer-lost', `Run ${id} was cut off at step ${step}.`, goOn, { run: id });
}

function tellResult(out: Session['out'], run: Run, result: RunResult): void {
  const { test, trainableParameters, totalParameters, secondsPerStep, peakMemoryBytes, checkpointBytes, wording } =
    result;
  const scores = test && scoresOf(test);
  const tested = test ? `test ${scoresInWords(test, { ends: false })}` : 'no test rows, so no test score';
  out.event(
    {
      event: 'result',
      run: run.id,
      test: scores,
      trainableParameters,
      totalParameters,
      secondsPerStep,
      peakMemoryBytes,
      checkpointBytes,
      ...(wording === undefined ? {} : { wording }),
    },
    `Run ${run.id} is finished: ${tested}.\n  ${whole(trainableParameters)} of ${whole(totalParameters)} parameters trained (${percent(trainableParameters / totalParameters)}), ${secondsPerStep === null ? '' : `${secondsPerStep.toFixed(3)} s a step, `}${peakMemoryBytes === null ? '' : `peak memory ${megabytes(peakMemoryBytes)}, `}trained file ${megabytes(checkpointBytes)}.${wording === undefined ? '' : `\n  The wording: ${wording}`}`,
  );
}
