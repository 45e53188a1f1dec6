/** Runs, and their bases as they were, write answers side by side. */
import type { Handlers } from '../contract/calls.js';
import type { Speaker } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { models, records, runs } from '../storage/index.js';
import type { Writer } from '../trainer/protocol.js';
import { baseFolderOf } from './bases.js';
import { runFolder, type Context } from './context.js';
import { requireFinished, type AnswerProcess } from './served.js';

export function chatCalls(context: Context, answers: AnswerProcess): Pick<Handlers, 'chat.generate'> {
  return {
    'chat.generate': async ({ speakers, sampling }) => {
      const writers = await Promise.all(speakers.map((speaker) => writerOf(context, speaker)));
      const { threads } = await records.readSettings(context.database);
      const ended = new Set<number>();
      const { jobId } = context.jobs.start('generate', 'Write answers', async (handle) => {
        handle.progress(0, writers.length, 'reading what is not open yet');
        const job = answers.get().start<'generate'>({ type: 'generate', writers, sampling, threads }, (event) => {
          if (event.type !== 'pieces') return;
          context.emit('pieces', { jobId, pieces: event.pieces });
          for (const { speaker, writing } of event.pieces) if (writing.ended !== null) ended.add(speaker);
          handle.progress(ended.size, writers.length, `${ended.size} of ${writers.length} done`);
        });
        handle.signal.addEventListener('abort', () => job.cancel());
        return (await job.result).answers;
      });
      return { jobId };
    },
  };
}

/** @throws StudioError 'not-found', 'conflict' where the run is not finished, 'bad-input' where it sorts texts instead of writing them */
async function writerOf(context: Context, { runId, trained, asked }: Speaker): Promise<Writer> {
  const run = await runs.getRun(context.database, runId);
  if (run.plan.objective !== 'causal-lm')
    throw new StudioError('bad-input', `Run ${runId} does not write.`, 'Choose a run whose objective is "causal-lm".', {
      run: runId,
    });
  if (trained) requireFinished(run);
  return {
    modelFolder: trained
      ? await baseFolderOf(context, run)
      : (await models.getModel(context.database, run.modelId)).folder,
    runFolder: trained ? runFolder(context.home, runId) : null,
    method: trained ? run.plan.method : { type: 'head' },
    asked,
  };
}
