/** The report of a study: what its kind makes of the runs, and all that it takes to repeat them. */
import { cpus, platform, release, totalmem } from 'node:os';
import { devicesInWords, devicesOfRun } from '../../contract/device-words.js';
import type { Report, Study } from '../../contract/entities.js';
import { runtimeIdentity } from '../../engine/index.js';
import { hashWeights } from '../../interchange/index.js';
import { records } from '../../storage/index.js';
import { now, type Context } from '../context.js';
import { kindOf } from './kinds/index.js';
import type { Asked, Ended, Measured } from './kinds/kind.js';
import { measureKinds } from '../../evaluation/index.js';

/** "Quality gap: starter on topics" */
export function titleOf({ plan, model, datasets }: Asked): string {
  const names = datasets.map(({ name }) => name);
  return plan.name || `${kindOf(plan.kind).title}: ${model.name} on ${names.join(', ')}`;
}

/** What the study asks, of what. */
export function questionOf({ plan, model, datasets, measure }: Asked): string {
  const data = datasets.map(({ name }) => name).join(', ');
  return `${kindOf(plan.kind).question} ${model.name} on ${data}, by ${measureKinds[measure].name} on the test rows.`;
}

/** @param ended all runs of the study that have ended; what is missing shows in the report */
export async function reportOf(
  context: Context,
  version: string,
  study: Study,
  { asked, ended, measured }: { readonly asked: Asked; readonly ended: Ended; readonly measured: Measured },
): Promise<Report> {
  const kind = kindOf(asked.plan.kind);
  const body = await kind.report(context, asked, ended, measured);
  const steps = kind.steps(asked, ended);
  const { threads } = await records.readSettings(context.database);
  const [processor] = cpus();
  const runs = steps.flatMap(({ key, role, dataset }) => {
    const run = ended.get(key);
    return run ? [{ run, role, dataset }] : [];
  });
  return {
    kind: kind.kind,
    title: study.name,
    question: questionOf(asked),
    protocol: kind.protocol(asked),
    ...body,
    provenance: {
      study: asked.plan,
      versions: { 'PEFT Studio': version, 'ONNX Runtime': runtimeIdentity().version, Node: process.versions.node },
      machine: {
        platform: `${platform()} ${release()} ${process.arch}`,
        processor: processor?.model.trim() ?? 'unknown',
        threads: threads ?? cpus().length,
        memoryBytes: totalmem(),
        device: [...new Set(runs.flatMap(({ run }) => devicesOfRun(run)))].join(', ') || asked.plan.device,
      },
      model: { name: asked.model.name, contentHash: await hashWeights(asked.model.folder).catch(() => null) },
      data: asked.datasets.map(({ name, contentHash, rows }) => ({ name, contentHash, rows })),
      runs: runs.map(({ run, role, dataset }) => ({
        id: run.id,
        role,
        methodName: run.methodName,
        setting: run.setting,
        seed: run.seed,
        learningRate: run.plan.training.learningRate,
        data: dataset.name,
        dataHash: dataset.contentHash,
        device: devicesInWords(run),
      })),
      startedAt: study.createdAt,
      endedAt: now(),
    },
  };
}
