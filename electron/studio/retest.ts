/** Finished runs on other test rows than their own: the base's own task, or a task that they were trained on before. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../contract/entities.js';
import type { Objective } from '../contract/objectives.js';
import type { TestOutcome } from '../contract/outcomes.js';
import { generalTraining, type JobOf } from '../trainer/protocol.js';
import { workApart } from './apart.js';
import { runFolder, type Context } from './context.js';
import { writeGeneralText, type GeneralText } from './general-text.js';
import { taskOf } from './train-task.js';

type Outcomes = TestOutcome['outcome'][];

async function outcomesOf(context: Context, job: JobOf<'test'>, signal: AbortSignal): Promise<Outcomes> {
  const outcomes: Outcomes = [];
  await workApart<'test'>(context, job, {
    signal,
    onEvent: (event) => {
      if (event.type === 'outcomes') outcomes.push(...event.rows.map(({ outcome }) => outcome));
    },
  });
  return outcomes;
}

/**
 * The base model's own loss on general text, with what a run made of it; `trained` false: of the base as it is.
 * @param file null for the bundled sample
 */
export async function onGeneralText(
  context: Context,
  {
    run,
    trained,
    objective,
    file,
  }: { run: Run; trained: boolean; objective: Extract<Objective, 'masked-lm' | 'causal-lm'>; file: string | null },
  signal: AbortSignal,
): Promise<GeneralText & { readonly outcomes: Outcomes }> {
  const folder = await mkdtemp(join(await context.presence.workFolder(), 'general-'));
  try {
    const test = join(folder, 'texts.jsonl');
    const text = await writeGeneralText(context, file, test);
    const { refinement: _refinement, composition: _composition, ...task } = await taskOf(context, run, 'cpu', null);
    // A head alone leaves the base as it is, and so does a full fine-tuning that was not trained.
    const changed = trained && task.method.type !== 'head';
    const outcomes = await outcomesOf(
      context,
      {
        type: 'test',
        task: {
          ...task,
          objective: { type: objective },
          method: changed ? task.method : { type: 'full' },
          training: generalTraining(run.plan.training.maxLength),
          data: { train: test, validation: null, test },
          readTest: true,
        },
        runFolder: changed ? runFolder(context.home, run.id) : null,
        wording: null,
        head: 'other',
        headFolder: null,
      },
      signal,
    );
    return { ...text, outcomes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The test rows of the task that `former` learned, by its head, with what `run` made of the base since. */
export async function onFormerTask(
  context: Context,
  { run, former }: { readonly run: Run; readonly former: Run },
  signal: AbortSignal,
): Promise<Outcomes> {
  const { data, objective, readTest: _readTest, training } = await taskOf(context, former, 'cpu', null);
  const { refinement: _refinement, composition: _composition, ...task } = await taskOf(context, run, 'cpu', null);
  return outcomesOf(
    context,
    {
      type: 'test',
      task: { ...task, data, objective, training, readTest: true },
      runFolder: runFolder(context.home, run.id),
      wording: null,
      head: 'other',
      headFolder: runFolder(context.home, former.id),
    },
    signal,
  );
}
