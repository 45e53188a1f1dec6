/** How runs are named and their states said, everywhere the same. */
import { devicesOfRun, type Run } from '../../../electron/contract/index.js';
import { t } from '../../language.js';

type State = Run['state'];

/** "LoRA r 8, seed 3": method, the first part of its setting, seed. */
export function runTitle(run: Pick<Run, 'methodName' | 'setting' | 'seed'>): string {
  const short = run.setting.split(',')[0]?.trim() ?? '';
  const detail = /\d/.test(short) && short.length <= 14 ? ` ${short}` : '';
  return t('{methodName}{detail}, seed {seed}', { methodName: run.methodName, detail, seed: run.seed });
}

export function stateWords(state: State): string {
  switch (state) {
    case 'queued':
      return t('Waiting');
    case 'preparing':
      return t('Preparing');
    case 'running':
      return t('Running');
    case 'paused':
      return t('Paused');
    case 'interrupted':
      return t('Interrupted');
    case 'finished':
      return t('Done');
    case 'cancelled':
      return t('Cancelled');
    case 'failed':
      return t('Failed');
  }
}

/** A device's name in a sentence; what is not known is named as it is. */
export const deviceName = (id: string | null): string =>
  id === null
    ? ''
    : ((
        { cpu: 'CPU', webgpu: 'WebGPU', cuda: 'CUDA', dml: 'DirectML', coreml: t('Core ML') } as Record<string, string>
      )[id] ?? id);

/** Every device that a run was trained on; what is asked for before it has begun. */
export const devicesOf = (run: Run): string =>
  devicesOfRun(run).map(deviceName).join(', ') || deviceName(run.plan.device);

/** Short reason of a failed run by the code of its problem. */
export function failureWords(run: Run): string {
  switch (run.problem?.code) {
    case 'out-of-memory':
      return t('Out of memory');
    case 'no-space':
      return t('Disk full');
    case 'trainer-lost':
      return t('Trainer ended');
    case 'device-failed':
      return t('Device failed');
    case 'diverged':
      return t('Loss diverged');
    default:
      return t('Failed');
  }
}
