/** Runs as the trainer process serves them for answers and proofs. */
import type { Run } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { datasets, models, records } from '../storage/index.js';
import type { ServedModel } from '../trainer/protocol.js';
import { baseFolderOf } from './bases.js';
import { runFolder, type Context } from './context.js';
import { learnedObjective } from './objective.js';
import { TrainerClient } from './trainer-client.js';

export function requireFinished(run: Run): void {
  if (run.state !== 'finished')
    throw new StudioError(
      'conflict',
      `Run ${run.id} is ${run.state}; only a finished run has trained parameters to use.`,
      run.state === 'paused' || run.state === 'interrupted' ? 'Resume it first.' : 'Choose a finished run.',
      { run: run.id, state: run.state },
    );
}

/** @param trained false for the untrained base with a fresh head */
export async function servedRun(context: Context, run: Run, trained = true): Promise<ServedModel> {
  if (trained) requireFinished(run);
  const dataset = await datasets.getDataset(context.database, run.datasetId);
  const { threads } = await records.readSettings(context.database);
  const wording = run.result?.wording;
  return {
    key: trained ? `run ${run.id}` : `untrained ${run.modelId} ${run.datasetId}`,
    // The untrained one is the base model as it was before any round.
    modelFolder: trained
      ? await baseFolderOf(context, run)
      : (await models.getModel(context.database, run.modelId)).folder,
    runFolder: trained ? runFolder(context.home, run.id) : null,
    method: trained ? run.plan.method : { type: 'head' },
    objective: { ...learnedObjective(run.plan, dataset), ...(trained && wording !== undefined ? { wording } : {}) },
    maxLength: run.plan.training.maxLength,
    ...(run.plan.objective === 'question-answering'
      ? {
          answers: { windowStride: run.plan.training.windowStride, maxAnswerTokens: run.plan.training.maxAnswerTokens },
        }
      : {}),
    seed: run.seed,
    device: 'cpu',
    threads,
  };
}

/** One long-lived process that answers; it is started at the first question and again if it was lost. */
export class AnswerProcess {
  #client: TrainerClient | null = null;

  constructor(private readonly context: Context) {}

  get(): TrainerClient {
    if (this.#client === null || this.#client.ended) this.#client = new TrainerClient(this.context.spawnTrainer);
    return this.#client;
  }

  close(): void {
    this.#client?.close();
    this.#client = null;
  }
}
