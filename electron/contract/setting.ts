/** When two runs are of one setting: they differ in nothing but their seed, and may be averaged. */
import type { Run } from './entities.js';

/** Runs are never changed in place, and lists of a thousand are grouped again and again. */
const keys = new WeakMap<object, string>();

/** Equal for runs of one setting: base model, data, method and training with all values but the seed (how often a run saves does not count). */
export function settingKey(run: Keyed): string {
  const known = keys.get(run) ?? keyOf(run);
  keys.set(run, known);
  return known;
}

type Keyed = Pick<Run, 'modelId' | 'datasetId' | 'plan'> & Partial<Pick<Run, 'result'>>;

function keyOf({ modelId, datasetId, plan, result }: Keyed): string {
  const { seed: _seed, checkpointEverySteps: _saving, ...training } = plan.training;
  const { parts = [], kind, how, head } = plan.composition ?? {};
  const composition = parts.map(({ from, weight }) => [from, weight]);
  const { verbalizer, refines, refineBy } = plan;
  return canonical({
    modelId,
    datasetId,
    method: plan.method,
    composition: { kind, how, head, composition },
    training,
    ...(verbalizer ? { verbalizer } : {}),
    ...(refines === undefined ? {} : { refines, refineBy }),
    // Another program's runs are not averaged with the studio's own.
    ...(result?.elsewhere ? { elsewhere: true } : {}),
    // A run that left the test out has nothing to average with one that read it.
    ...(plan.readTest ? {} : { readTest: false }),
  });
}

/** JSON with keys in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
