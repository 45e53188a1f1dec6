/** Run numbers of the exporting folder as those of this one. */
import type { Plan } from '../../contract/plan.js';
import { broken } from './format.js';

/** The lineage of a composed run by this folder's numbers; a part that was deleted before the export keeps its name only. */
export function withRenumberedParts(plan: Plan, numbers: ReadonlyMap<number, number>): Plan {
  const { composition } = plan;
  if (!composition) return plan;
  const parts = composition.parts.map((part) =>
    typeof part.from === 'number' ? { ...part, from: numbers.get(part.from) ?? `deleted run ${part.from}` } : part,
  );
  return { ...plan, composition: { ...composition, parts } };
}

/** @throws StudioError 'bad-file' where the run before is not in the file */
export function withRenumberedRounds(plan: Plan, numbers: ReadonlyMap<number, number>, path: string): Plan {
  if (plan.refines === undefined) return plan;
  const refines = numbers.get(plan.refines);
  if (refines === undefined) throw broken(path, `a run goes on from run ${plan.refines}, which is not in it`);
  return { ...plan, refines };
}
