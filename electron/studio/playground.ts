/** Texts in, label probabilities out: several runs and the untrained base side by side; a file in, a file out. */
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Handlers } from '../contract/calls.js';
import type { Prediction } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { labelsIn } from '../contract/learned.js';
import { objectiveTable } from '../contract/objectives.js';
import { runs } from '../storage/index.js';
import type { Answer, ServedModel } from '../trainer/protocol.js';
import type { Context } from './context.js';
import { servedRun, type AnswerProcess } from './served.js';

type Group = Pick<Handlers, 'playground.predict' | 'playground.predictFile'>;

interface Asked {
  readonly served: ServedModel;
  readonly runId: number | null;
  readonly title: string;
  readonly type: string | null;
}

/** An answer with the labels' names. */
function answered(
  { objective }: ServedModel,
  { label, probabilities, value, spans }: Pick<Answer, 'label' | 'probabilities' | 'value' | 'spans'>,
): Pick<Prediction, 'kind' | 'label' | 'probabilities' | 'value' | 'spans'> {
  const { answers } = objectiveTable[objective.type];
  if (answers === 'text' || answers === 'nothing')
    throw new StudioError(
      'bad-input',
      'A language model does not answer by a head.',
      'Choose a run on labels or numbers.',
    );
  const names = labelsIn(objective) ?? [];
  return {
    kind: answers,
    label,
    probabilities: Object.fromEntries(probabilities.map((share, k) => [names[k] ?? '', share])),
    value,
    ...(spans ? { spans } : {}),
  };
}

export function playgroundCalls(context: Context, answers: AnswerProcess): Group {
  const { database } = context;
  return {
    'playground.predict': async ({ runIds, text, pair, untrained, keep = true }) => {
      const chosen = await Promise.all(runIds.map((id) => runs.getRun(database, id)));
      const asked: Asked[] = [];
      for (const run of chosen)
        asked.push({
          served: await servedRun(context, run),
          runId: run.id,
          title: `${run.methodName}, seed ${run.seed}`,
          type: run.plan.method.type,
        });
      const [first] = chosen;
      if (untrained && first)
        asked.push({
          served: await servedRun(context, first, false),
          runId: null,
          title: 'Untrained base',
          type: null,
        });
      if (asked.length === 0)
        throw new StudioError('bad-input', 'No run was chosen.', 'Choose at least one finished run.');
      const result = await answers
        .get()
        .start<'predict'>({ type: 'predict', models: asked.map(({ served }) => served), rows: [{ text, pair }], keep })
        .result;
      return asked.map(({ served, runId, title, type }, i): Prediction => {
        const answer = result.models[i];
        const [row] = answer?.rows ?? [];
        return {
          runId,
          title,
          type,
          ...answered(served, row ?? { label: '', probabilities: [], value: null }),
          milliseconds: answer?.milliseconds ?? 0,
          problem: answer?.problem ?? null,
        };
      });
    },
    'playground.predictFile': async ({ runId, path, textColumn, pairColumn, out, report }) => {
      const run = await runs.getRun(database, runId);
      const model = await servedRun(context, run);
      const { jobId } = context.jobs.start('predict-file', `Answer ${basename(path)}`, async (handle) => {
        const client = answers.get();
        // So the trainer names what it writes beside the file.
        const part = `${out}.${client.pid}.tmp`;
        const forget = out === null ? null : await context.presence.making(part);
        const job = client.start<'predict-file'>(
          { type: 'predict-file', model, file: path, textColumn, pairColumn, out, report },
          (event) => {
            if (event.type === 'progress') handle.progress(event.done, event.total, event.message);
            if (event.type === 'answers')
              context.emit('answers', {
                jobId,
                rows: event.rows.map((row) => ({ row: row.row, ...answered(model, row) })),
              });
          },
        );
        handle.signal.addEventListener('abort', () => job.cancel());
        try {
          const { rows, skipped, firstSkipped } = await job.result;
          return { rows, skipped, firstSkipped, out };
        } finally {
          if (client.ended) await rm(part, { force: true });
          await forget?.();
        }
      });
      return { jobId };
    },
  };
}
