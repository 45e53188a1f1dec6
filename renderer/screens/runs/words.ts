/** How runs are named and their states said, everywhere the same. */
import type { Run } from '../../../electron/contract/index.js';

type State = Run['state'];

/** "LoRA r 8, seed 3": method, the first part of its setting, seed. */
export function runTitle(run: Pick<Run, 'methodName' | 'setting' | 'seed'>): string {
  const short = run.setting.split(',')[0]?.trim() ?? '';
  const detail = /\d/.test(short) && short.length <= 14 ? ` ${short}` : '';
  return `${run.methodName}${detail}, seed ${run.seed}`;
}

export function stateWords(state: State): string {
  switch (state) {
    case 'queued':
      return 'Waiting';
    case 'preparing':
      return 'Preparing';
    case 'running':
      return 'Running';
    case 'paused':
      return 'Paused';
    case 'interrupted':
      return 'Interrupted';
    case 'finished':
      return 'Done';
    case 'cancelled':
      return 'Cancelled';
    case 'failed':
      return 'Failed';
  }
}

/** A device's name in a sentence; what is not known is named as it is. */
export const deviceName = (id: string | null): string =>
  id === null
    ? ''
    : (({ cpu: 'CPU', webgpu: 'WebGPU', cuda: 'CUDA', dml: 'DirectML', coreml: 'Core ML' } as Record<string, string>)[
        id
      ] ?? id);

/** Short reason of a failed run by the code of its problem. */
export function failureWords(run: Run): string {
  switch (run.problem?.code) {
    case 'out-of-memory':
      return 'Out of memory';
    case 'no-space':
      return 'Disk full';
    case 'trainer-lost':
      return 'Trainer ended';
    case 'device-failed':
      return 'Device failed';
    case 'diverged':
      return 'Loss diverged';
    default:
      return 'Failed';
  }
}
