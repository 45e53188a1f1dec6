/** Which part of a run was trained on which device. */
import type { Run } from '../contract/entities.js';

/**
 * A run's devices once it goes on after `step` on `device`; null where that is the only one.
 * @param before the run as it was: what it had told of later steps is computed anew, so their device counts no more
 */
export function devicesAfter(
  before: Pick<Run, 'device' | 'devices'> | null,
  { device, step }: { readonly device: string; readonly step: number },
): NonNullable<Run['devices']> | null {
  if (step === 0) return null;
  const known = before?.devices ?? (before?.device ? [{ device: before.device, afterStep: 0 }] : []);
  const parts = known.filter(({ afterStep }) => afterStep < step);
  if (parts.length === 0) return null;
  if (parts.at(-1)?.device !== device) parts.push({ device, afterStep: step });
  return parts.length === 1 ? null : parts;
}
