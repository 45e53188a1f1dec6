/** The table of jobs: one handler each. */
import * as engine from '../engine/index.js';
import { keepingBase } from './bases.js';
import { generate } from './generate.js';
import { GeneratorCache } from './generators.js';
import { mergeCheck } from './merge-check.js';
import { predict } from './predict.js';
import { predictFile } from './predict-file.js';
import { PredictorCache } from './predictors.js';
import type { Port } from './port.js';
import { pretrainFromText } from './pretrain/pretrain.js';
import { probe } from './probe.js';
import { profile } from './profile.js';
import { proveExport } from './prove-export.js';
import { scoreWording } from './score-wording.js';
import { serveTogether } from './serve-together.js';
import { serve } from './server.js';
import { test } from './test.js';
import { train } from './train.js';
import { virtualWords } from './virtual-words.js';

/** Of a method: those of training, of validation, of the test and of general text. */
const sessionsKept = 4;

/** Serves jobs on `port` until the host lets go; resolves once the studio knows this process is ready. */
export async function startJobs(port: Port, baselineMemoryBytes: number): Promise<void> {
  const cache = new PredictorCache(engine);
  const generators = new GeneratorCache(engine);
  // Training leaves memory behind that a later run's peak would count.
  let trained = false;
  const openKept = keepingBase();
  /** What runs in a row share. */
  const kept = async ({ keeps = false }: { readonly keeps?: boolean | undefined }) => {
    if (!keeps) return undefined;
    await engine.keepSessions(sessionsKept);
    return openKept;
  };
  await serve(
    port,
    {
      train: async (job, context) => {
        const shared = trained;
        trained = true;
        return train(job, context, engine, baselineMemoryBytes, shared, await kept(job));
      },
      test: async (job, context) => test(job, context, engine, await kept(job)),
      probe: (job, context) => probe(job, context, engine, baselineMemoryBytes),
      predict: (job, context) => predict(job, context, cache),
      'predict-file': (job, context) => predictFile(job, context, cache),
      'prove-export': (job, context) => proveExport(job, context, engine),
      generate: (job, context) => generate(job, context, generators),
      'merge-check': (job, context) => mergeCheck(job, context, engine),
      'serve-together': (job, context) => serveTogether(job, context, engine),
      pretrain: (job, context) => pretrainFromText(job, context, engine),
      profile: (job, context) => profile(job, context),
      'virtual-words': (job) => virtualWords(job),
      'score-wording': (job, context) => scoreWording(job, context, cache),
      'device-test': async ({ device, folder, threads }, context) => {
        let done = 0;
        const { device: id, ...found } = await engine.selfTest(device, {
          folder,
          ...(threads === null ? {} : { threads }),
          onStep: () => context.emit({ type: 'progress', done: (done += 1), total: null, message: device }),
        });
        return { type: 'device-test', report: { id, ...found } };
      },
    },
    (code) => process.exit(code),
  );
}
