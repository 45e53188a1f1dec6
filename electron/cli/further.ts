/** `take-further` and `take-back`: a plan as a project for transformers, peft and accelerate, and its result as a run. */
import { resolve } from 'node:path';
import { z } from 'zod';
import type { CallRequest } from '../contract/calls.js';
import { takenBackSchema } from '../contract/entities.js';
import { scoresInWords } from '../contract/score-words.js';
import { parsePlan } from '../studio/plan.js';
import type { Command } from './command.js';
import { megabytes } from './output.js';
import { readJson } from './runs.js';
import { findDataset, findModel, finishJob, project, tellJob, type Session } from './session.js';

/** A run's number, or a plan in a file. */
async function sourceOf(session: Session, word: string): Promise<CallRequest<'further.check'>> {
  if (/^\d+$/.test(word)) {
    const run = await session.handlers['runs.get']({ id: Number(word) });
    return { projectId: run.projectId, from: { runId: run.id } };
  }
  const plan = parsePlan(await readJson(word));
  const { id: projectId } = await project(session);
  const model = await findModel(session, plan.model);
  await findDataset(session, projectId, plan.data);
  return { projectId, from: { plan: { ...plan, model: model.name } } };
}

const written = z.object({ folder: z.string(), bytes: z.number() });

const takeFurther: Command = {
  name: 'take-further',
  arguments: 'RUN|PLAN.json',
  positionals: [1, 1],
  about:
    'Writes the plan of a run, or a plan, as a project for transformers, peft and accelerate: data, train.py, versions and the base model.',
  options: {
    to: { value: 'DIR', about: 'New or empty folder', required: true },
    'without-model': { about: 'Leaves the base model out; train.py then takes its folder as --model' },
  },
  async run(input, session) {
    const source = await sourceOf(session, input.positional(0));
    const folder = resolve(input.required('to'));
    const { result } = await finishJob(
      session,
      () => session.handlers['further.write']({ ...source, folder, model: !input.has('without-model') }),
      tellJob(session),
    );
    const { bytes } = written.parse(result);
    session.out.event(
      { event: 'take-further', folder, bytes },
      `Wrote ${folder} (${megabytes(bytes)}). There: pip install -r requirements.txt, then accelerate launch train.py. Back here: peft-studio take-back ${input.required('to')}`,
    );
    return 0;
  },
};

const back: Command = {
  name: 'take-back',
  arguments: 'DIR',
  positionals: [1, 1],
  about:
    'Takes the result of such a project back as a finished run, marked as trained elsewhere, and proves it: test rows are answered here with what it trained.',
  options: {},
  async run(input, session) {
    const { id: projectId } = await project(session);
    const folder = resolve(input.positional(0));
    const { result } = await finishJob(
      session,
      () => session.handlers['further.back']({ projectId, folder }),
      tellJob(session),
    );
    const run = await session.handlers['runs.get']({ id: takenBackSchema.parse(result).runId });
    const { test, elsewhere } = run.result ?? { test: null };
    const proof = elsewhere?.proof ?? { rows: 0, largestDifference: 0 };
    session.out.event(
      { event: 'take-back', run: run.id, test, elsewhere },
      `Run ${run.id}: ${run.methodName}, ${run.setting}, seed ${run.seed}${test ? `: test ${scoresInWords(test, { ends: false })}` : ''}. Proof: on ${proof.rows} test rows its answers differ from those told there by ${proof.largestDifference.toExponential(1)} at most.`,
    );
    return 0;
  },
};

export const furtherCommands: readonly Command[] = [takeFurther, back];
